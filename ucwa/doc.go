// Package ucwa is a client for UCWA 2.0, the web API of Skype for Business
// Server, and the vocabulary of its protocol: links and resources (HAL as UCWA
// writes it), errors, enumerations and event packages.
//
// UCWA is driven by hypermedia: a client is given the URL of an application
// resource and from there follows links. This package holds to that. A [Link]
// comes out of a response, and one made by hand leads nowhere, so a program that
// uses [Client] has no occasion to build a path; and a link that leaves the origin
// which served it is refused, so that a token reaches no other host.
//
// From a SIP address to an application:
//
//	signIn := &ucwa.SignIn{
//		Address:     "sip:dana@contoso.com",
//		Credentials: ucwa.Credentials{Username: "dana@contoso.com", Password: password},
//	}
//	client, applications, err := signIn.Open(ctx)
//	if err != nil {
//		return err
//	}
//	app, err := client.Create(ctx, applications, ucwa.NewApplication{UserAgent: "Contoso Board"})
//	if err != nil {
//		return err
//	}
//	defer client.End(context.WithoutCancel(ctx), app)
//
// Open discovers the server, signs in at each host on the way with a token for that
// host alone, and returns a client whose token renews itself. [SignIn] can take the
// same steps one by one. A token that is at hand goes into [Client].Token instead.
//
// The documented task "Set my presence information", whole:
//
//	client := &ucwa.Client{Token: token}
//	app, err := client.Application(ctx, "https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101")
//	if err != nil {
//		return err
//	}
//	err = client.MakeMeAvailable(ctx, app.Embed("me"), ucwa.ModalityMessaging)
//	if err != nil && !ucwa.HasSubcode(err, ucwa.SubcodeAlreadyExists) {
//		return err
//	}
//	if app, err = client.Get(ctx, app.Link("self")); err != nil { // now with the presence link
//		return err
//	}
//	if err = client.SetPresence(ctx, app.Embed("me"), ucwa.PreferOnline); err != nil {
//		return err
//	}
//	for event, err := range client.Events(ctx, app.Link("events"), ucwa.EventOptions{}) {
//		if err != nil {
//			return err
//		}
//		if event.Sender.Rel == "me" && event.Link.Rel == "presence" {
//			return nil // confirmed: others see it now
//		}
//	}
//
// Package ucwatest holds a strict reference server to test such programs with.
package ucwa
