package ucwa_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// The documented task "Set my presence information": make me available, get the
// application with its new links, set the presence, await the event.
func Example() {
	server := httptest.NewTLSServer(contoso())
	defer server.Close()
	client := &ucwa.Client{Token: "cwt=AAEB", HTTP: server.Client()}

	err := setPresence(context.Background(), client, server.URL+"/ucwa/oauth/v1/applications/101")
	fmt.Println("error:", err)

	// Output:
	// POST /ucwa/oauth/v1/applications/101/me/makeMeAvailable {"supportedModalities":["Messaging"]}
	// POST /ucwa/oauth/v1/applications/101/me/presence {"availability":"Online"}
	// event: presence added, sender me
	// error: <nil>
}

// From a SIP address to an application, on a deployment of three hosts.
func ExampleSignIn_Open() {
	server := ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{
		Users: "https://lyncweb.contoso.com",
		Pool:  "https://pool.contoso.com",
	}})
	server.AddUser(ucwatest.User{URI: "sip:dana@contoso.com", Password: "pass"})
	running, err := ucwatest.StartTLS(server, ucwatest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer running.Close()

	ctx := context.Background()
	signIn := &ucwa.SignIn{
		Address:     "sip:dana@contoso.com",
		Credentials: ucwa.Credentials{Username: "dana@contoso.com", Password: "pass"},
		Client:      ucwa.Client{HTTP: running.Client()}, // which dials the one socket whatever the host
	}
	client, applications, err := signIn.Open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	app, err := client.Create(ctx, applications, ucwa.NewApplication{UserAgent: "Contoso Board"})
	if err != nil {
		fmt.Println(err)
		return
	}
	self, err := app.Link("self").URL()
	fmt.Println(self.Host, app.String("culture"), err)
	fmt.Println(client.End(ctx, app), server.Applications())
	// Output:
	// pool.contoso.com en-US <nil>
	// <nil> 0
}

func setPresence(ctx context.Context, client *ucwa.Client, application string) error {
	app, err := client.Application(ctx, application)
	if err != nil {
		return err
	}
	err = client.MakeMeAvailable(ctx, app.Embed("me"), ucwa.ModalityMessaging)
	if err != nil && !ucwa.HasSubcode(err, ucwa.SubcodeAlreadyExists) {
		return err
	}
	if app, err = client.Get(ctx, app.Link("self")); err != nil { // now with the presence link
		return err
	}
	if err = client.SetPresence(ctx, app.Embed("me"), ucwa.PreferOnline); err != nil {
		return err
	}
	for event, err := range client.Events(ctx, app.Link("events"), ucwa.EventOptions{}) {
		if err != nil {
			return err
		}
		if event.Sender.Rel == "me" && event.Link.Rel == "presence" {
			fmt.Printf("event: %s %s, sender %s\n", event.Link.Rel, event.Type, event.Sender.Rel)
			return nil // confirmed: others see it now
		}
	}
	return nil
}

// contoso is a server with one user, who can be made available once.
func contoso() http.Handler {
	const (
		path = "/ucwa/oauth/v1/applications/101"
		app  = `{"rel":"application","_links":{"self":{"href":"` + path + `"},"events":{"href":"` + path + `/events?ack=1"}},
			"_embedded":{"me":{"rel":"me","_links":{"self":{"href":"` + path + `/me"},%q:{"href":%q}}}}}`
		confirmation = `{"_links":{"next":{"href":"` + path + `/events?ack=2"}},"sender":[{"rel":"me","href":"` + path + `/me","events":[
			{"link":{"rel":"me","href":"` + path + `/me"},"type":"updated"},
			{"link":{"rel":"presence","href":"` + path + `/me/presence"},"type":"added"}]}]}`
	)
	link := "makeMeAvailable" // of me
	posted := make(chan struct{}, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, app, link, path+"/me/"+link)
	})
	mux.HandleFunc("POST "+path+"/me/{resource}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %s %s\n", r.Method, r.URL, body)
		if link == "presence" {
			posted <- struct{}{}
		}
		link = "presence"
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET "+path+"/events", func(w http.ResponseWriter, r *http.Request) {
		select { // it is held until there is something to say
		case <-posted:
			io.WriteString(w, confirmation)
		case <-r.Context().Done():
		}
	})
	return mux
}
