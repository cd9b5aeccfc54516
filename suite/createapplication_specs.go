package suite

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/onsi/gomega/types"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// createApplication certifies "Create an application": from the Autodiscover root to
// the application and its end. What each requirement says stands in
// createapplication.yaml under its id.
func createApplication(t *tree) {
	t.step("1", func() {
		resourceSpecs(t, "create-application.1.", partRoot)
		leadsOn(t, "create-application.1.link.user", partRoot, "user")
		t.requirement("create-application.1.order", func(c *check) {
			if len(c.sent(relRoot)) == 0 {
				c.missing(partRoot)
			}
			var asked []string
			var external answer
			for _, x := range c.Exchanges {
				if !x.is(relRoot) || x.Probe != "" {
					continue // one that got no answer was asked all the same
				}
				a := answer{x, c}
				kind, _, _ := strings.Cut(strings.ToLower(a.url.Host), ".")
				if kind == "lyncdiscover" || kind == "lyncdiscoverinternal" {
					asked = append(asked, kind)
				}
				if kind == "lyncdiscover" && external.Exchange == nil {
					external = a
				}
			}
			if external.Exchange == nil || !slices.Contains(asked, "lyncdiscoverinternal") {
				c.notApplicable("the client did not ask both the internal and the external address")
			}
			c.Expect(external.field("request order", "after "+asked[0], true)).To(beOneOf("after lyncdiscoverinternal"))
		})
		t.requirement("create-application.1.no-token", func(c *check) {
			judged := false
			for _, a := range c.sent(relRoot) {
				judged = true
				c.Expect(a.RequestHeader("Authorization")).To(matcher{"no token", func(f Field) bool {
					return !bearer.MatchString(f.observed()) // what a recorder put in its place is none
				}})
			}
			if !judged {
				c.missing(partRoot)
			}
		})
	})

	t.step("2", func() {
		t.requirement("create-application.2.status", func(c *check) {
			c.Expect(c.all(partChallenge)[0].Status()).To(beOneOf(http.StatusUnauthorized))
		})
		t.requirement("create-application.2.challenge", func(c *check) {
			a := c.challenge()
			c.Expect(a.Header("WWW-Authenticate")).To(a.challengeThat(`MsRtcOAuth href="https://…"`, func(ch ucwa.Challenge) bool {
				href, err := url.Parse(ch.Params["href"])
				return strings.EqualFold(ch.Scheme, "MsRtcOAuth") && err == nil && safely(href, a.url)
			}))
		})
		t.requirement("create-application.2.grants", func(c *check) {
			a := c.challenge()
			c.issuer(a)
			c.Expect(a.Header("WWW-Authenticate")).To(a.challengeThat("MsRtcOAuth with grant_type, a list with one of "+strings.Join(knownGrants, ", "), func(ch ucwa.Challenge) bool {
				return strings.EqualFold(ch.Scheme, "MsRtcOAuth") && slices.ContainsFunc(grantList(ch.Params["grant_type"]), func(g string) bool {
					return slices.ContainsFunc(knownGrants, func(k string) bool { return strings.EqualFold(g, k) })
				})
			}))
		})
		t.requirement("create-application.2.bearer", func(c *check) {
			a := c.challenge()
			c.Expect(a.Header("WWW-Authenticate")).To(a.challengeThat("Bearer with trusted_issuers and client_id", func(ch ucwa.Challenge) bool {
				_, trusted := ch.Params["trusted_issuers"]
				return strings.EqualFold(ch.Scheme, "Bearer") && trusted && ch.Params["client_id"] != ""
			}))
		})
		t.requirement("create-application.2.no-token", func(c *check) {
			request := c.tokenRequests()[0]
			learnt := "without a challenge before it"
			for _, x := range c.Exchanges {
				// Whatever is asked without a token tells where to get one: applications too.
				if x.ID < request.ID && (x.Part == partChallenge || issuerOf(x) != nil) {
					learnt = "after a challenge"
				}
			}
			unordered := slices.ContainsFunc(c.parts[partChallenge], func(x *Exchange) bool { return x.ID > request.ID && !c.isAfter(x, request.Exchange) })
			if unordered || len(c.parts[partChallenge]) == 0 && !c.Driven && c.mayHaveMissed(request) {
				c.notExercised("the evidence does not show whole what came before the request for a token")
			}
			c.Expect(request.field("request order", learnt, true)).To(beOneOf("after a challenge"))
		})
		t.requirement("create-application.2.referer", func(c *check) {
			requests := slices.DeleteFunc(c.sent(relUser), func(r answer) bool { return aside(r.Exchange) })
			if len(requests) == 0 {
				c.missing(partChallenge)
			}
			if !slices.ContainsFunc(requests, isCrossDomain) {
				c.notApplicable("the client is no cross-domain browser application: it asks for the user resource without X-Ms-Origin and the XFrame page as Referer")
			}
			for _, r := range requests {
				c.Expect(r.RequestHeader("Referer")).To(stringThat("an xframe link that was served before, or the XFrame page on "+ucwa.Origin(r.url), func(s string) bool {
					u, err := url.Parse(s)
					return err == nil && (isFrame(u) && ucwa.Origin(u) == ucwa.Origin(r.url) || c.framedBefore(u, r))
				}))
			}
		})
		t.requirement("create-application.2.html", func(c *check) {
			a := c.challenge()
			media := a.Header("Content-Type")
			if a.Body().Absent || media.Absent {
				c.notApplicable(fmt.Sprintf("not sent: a body with its media type in exchange %d", a.ID))
			}
			expected, fits := "text/html, or JSON with an error of UCWA in the body", isJSONMedia
			if strings.HasPrefix(strings.TrimLeft(a.Response.Body, "\ufeff \t\r\n"), "<") {
				expected, fits = "text/html, for the page in the body", func(s string) bool { return isHTMLMedia(s) || isXMLMedia(s) }
			} else if _, err := a.object(); err != nil {
				fits = func(string) bool { return false }
			}
			c.Expect(media).To(stringThat(expected, fits))
		})
	})

	t.step("3", func() {
		tokenRequestSpecs(t)
		tokenSpecs(t)
	})

	t.step("4", func() {
		t.requirement("create-application.4.token-host", func(c *check) {
			judged, masked, placeholders := false, false, c.placeholders()
			for _, x := range c.Exchanges {
				token := bearerOf(x.Exchange)
				origin := c.issuedAt(token)
				if x.Probe != "" || x.Response.Code == 0 || origin == "" {
					continue
				}
				if placeholders[token] {
					masked = true
					continue
				}
				judged = true
				a := answer{x, c}
				c.Expect(a.field("request URL", ucwa.Origin(x.url), true)).To(beOneOf(origin))
			}
			if !judged && masked {
				c.notExercised(placeholderReason)
			}
			if !judged {
				c.missing(partUser)
			}
		})
		t.requirement("create-application.4.authorization", func(c *check) {
			var list []answer
			for _, r := range slices.Concat(c.sent(relUser), c.creations()) {
				if r.Request.Method == http.MethodPost || !r.RequestHeader("Authorization").Absent || r.hasLinks() {
					list = append(list, r)
				}
			}
			if len(list) == 0 {
				c.missing(partUser)
			}
			if masked(list) {
				c.notExercised("no request has a token, yet the server served them: it was taken out of this evidence")
			}
			for _, a := range list {
				c.Expect(a.RequestHeader("Authorization")).To(stringThat("Bearer cwt=…", bearer.MatchString))
			}
		})
		resourceSpecs(t, "create-application.4.", partUser)
		leadsOn(t, "create-application.4.link.applications", partUser, "applications")
	})

	t.step("5", func() { creationSpecs(t) })

	t.step("6", func() {
		t.requirement("create-application.6.status", func(c *check) {
			for _, a := range c.all(partEnd) {
				c.Expect(a.Status()).To(beOneOf(http.StatusNoContent))
			}
		})
		t.requirement("create-application.6.body", func(c *check) {
			for _, a := range c.all(partEnd) {
				c.success(a, "create-application.6.status")
				c.expectNoContent(a)
			}
		})
	})

	t.step("refusal", func() { createRefusals(t) })
}

// resourceSpecs certify what a root and a user resource have in common.
func resourceSpecs(t *tree, prefix, part string) {
	t.requirement(prefix+"status", func(c *check) {
		for _, a := range c.all(part) {
			c.Expect(a.Status()).To(beOneOf(http.StatusOK))
		}
	})
	t.requirement(prefix+"json", func(c *check) {
		for _, a := range c.all(part) {
			c.success(a, prefix+"status")
			c.Expect(a.Document()).To(beObject())
			c.expectJSONMedia(a)
			c.Expect(a.JSON("_links")).To(satisfy("an object", func(v any) bool { _, ok := v.(map[string]any); return ok }))
		}
	})
	t.requirement(prefix+"link.self", func(c *check) {
		for _, a := range c.all(part) {
			c.Expect(a.JSON("_links", "self")).To(leadOnSafely())
		}
	})
	t.requirement(prefix+"link.xframe", func(c *check) {
		for _, a := range c.all(part) {
			if !a.JSON("_links", "redirect").Absent {
				c.notApplicable("the resource redirects")
			}
			c.Expect(a.JSON("_links", "xframe")).To(leadAnywhere())
		}
	})
}

// leadsOn certifies the link by which a resource leads on, or redirects in its place.
func leadsOn(t *tree, id, part, rel string) {
	t.requirement(id, func(c *check) {
		for _, a := range c.all(part) {
			link := a.JSON("_links", rel)
			if link.Absent {
				if redirect := a.JSON("_links", "redirect"); !redirect.Absent {
					link = redirect
				}
			}
			c.Expect(link).To(leadOnSafely())
		}
	})
}

// tokenRequestSpecs certify how a client asks for a token.
func tokenRequestSpecs(t *tree) {
	t.requirement("create-application.3.endpoint", func(c *check) {
		judged := false
		var lost *Exchange
		for _, r := range c.tokenRequests() {
			var hrefs []string
			for _, challenge := range c.index.challenges {
				if href := challenge.url.String(); challenge.by < r.ID && !slices.Contains(hrefs, href) {
					hrefs = append(hrefs, href)
				}
			}
			if c.index.refused == 0 || c.index.refused > r.ID || len(hrefs) == 0 {
				continue // evidence that begins in the middle, or no challenge that says where
			}
			if lost = cmp.Or(lost, c.challengeLostBefore(r)); lost != nil && !c.challenged(r) {
				continue
			}
			judged = true
			c.Expect(r.URL()).To(matcher{"the href of a challenge before it: " + strings.Join(hrefs, " or "), func(Field) bool {
				return slices.ContainsFunc(hrefs, func(href string) bool {
					u, err := url.Parse(href)
					return err == nil && linkKey(u) == linkKey(r.url)
				})
			}})
		}
		if !judged && lost != nil {
			c.unseen(lost)
		}
		if !judged {
			c.notExercised("the evidence shows no challenge before the token is asked for")
		}
	})
	t.requirement("create-application.3.form", func(c *check) {
		for _, r := range c.tokenRequests() {
			c.Expect(r.field("request method", r.Request.Method, true)).To(beOneOf(http.MethodPost))
			c.Expect(r.RequestHeader("Content-Type")).To(stringThat("application/x-www-form-urlencoded", func(s string) bool {
				media, _, _ := strings.Cut(s, ";")
				return strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
			}))
		}
	})
	t.requirement("create-application.3.grant", func(c *check) {
		judged, takenOut := false, false
		for _, r := range c.tokenRequests() {
			var offered []string
			for _, challenge := range c.index.challenges {
				if challenge.by < r.ID && linkKey(challenge.url) == linkKey(r.url) {
					for _, grant := range challenge.grants {
						if !slices.Contains(offered, grant) {
							offered = append(offered, grant)
						}
					}
				}
			}
			if len(offered) == 0 {
				continue
			}
			if _, out := c.grantOf(r.Exchange); out {
				takenOut = true
				continue
			}
			judged = true
			form := r.formOrBlocked()
			c.Expect(r.formField(form, "grant_type")).To(stringThat("one of those offered: "+strings.Join(offered, ", "), func(s string) bool {
				return slices.ContainsFunc(offered, func(g string) bool { return strings.EqualFold(g, s) })
			}))
		}
		if !judged && takenOut {
			c.notExercised(takenOutReason)
		}
		if !judged {
			c.notExercised("the evidence shows no challenge with grant types before the token is asked for")
		}
	})
	t.requirement("create-application.3.fields", func(c *check) {
		judged, takenOut := false, false
		for _, r := range c.tokenRequests() {
			grant, out := c.grantOf(r.Exchange)
			if takenOut = takenOut || out; out {
				continue
			}
			form := r.formOrBlocked()
			for _, name := range map[string][]string{
				ucwa.GrantPassword:    {"username", "password"},
				ucwa.GrantAnonMeeting: {"password", "ms_rtc_conferenceuri"},
			}[grant] {
				if form.Has("ms_rtc_renew") {
					continue
				}
				if !c.Driven && r.succeeded() && form.Get(name) == "" {
					takenOut = true
					continue
				}
				judged = true
				c.Expect(r.formField(form, name)).To(beText())
			}
		}
		if !judged && takenOut {
			c.notExercised(takenOutReason)
		}
		if !judged {
			c.notApplicable("no grant that was used takes fields of its own")
		}
	})
	t.requirement("create-application.3.query", func(c *check) {
		for _, r := range c.tokenRequests() {
			c.Expect(r.field("request URL.query", r.url.RawQuery, r.url.RawQuery != "")).To(beAbsent())
		}
	})
}

// tokenSpecs certify the answer with the token.
func tokenSpecs(t *tree) {
	t.requirement("create-application.3.status", func(c *check) {
		for _, a := range c.all(partToken) {
			c.signedInBy(a)
			c.Expect(a.Status()).To(beOneOf(http.StatusOK))
		}
	})
	t.requirement("create-application.3.json", func(c *check) {
		for _, a := range c.all(partToken) {
			c.success(a, "create-application.3.status")
			c.withheldFrom(a, "")
			c.Expect(a.Document()).To(beObject())
			c.expectJSONMedia(a)
		}
	})
	for _, member := range []struct {
		id   string
		want matcher
	}{
		{"access_token", stringThat("a token that begins with cwt=", isToken)},
		{"token_type", stringThat("Bearer", func(s string) bool { return strings.EqualFold(s, "Bearer") })},
		{"expires_in", satisfy("a number of seconds above 0", isLifetime)},
	} {
		t.requirement("create-application.3."+member.id, func(c *check) {
			for _, a := range c.all(partToken) {
				c.withheldFrom(a, member.id)
				c.Expect(a.JSON(member.id)).To(member.want)
			}
		})
	}
	t.requirement("create-application.3.cache", func(c *check) {
		for _, a := range c.all(partToken) {
			c.success(a, "create-application.3.status")
			c.Expect(a.Header("Cache-Control")).To(stringThat("no-store", func(s string) bool {
				return slices.ContainsFunc(strings.Split(s, ","), func(d string) bool { return strings.EqualFold(strings.TrimSpace(d), "no-store") })
			}))
		}
	})
}

// creationSpecs certify the POST on applications and its answer.
func creationSpecs(t *tree) {
	t.requirement("create-application.5.link", func(c *check) {
		judged := false
		var lost *Exchange
		for _, r := range c.creations() {
			if len(c.parts[partUser]) == 0 {
				continue // evidence that begins in the middle
			}
			served := slices.ContainsFunc(c.served[linkKey(r.url)], func(s serving) bool { return s.rel == "applications" && c.Exchanges[s.by].ID < r.ID })
			if x := c.mayHaveServed(r.Exchange); x != nil && !served {
				lost = x
				continue
			}
			judged = true
			c.Expect(r.URL()).To(matcher{"the URL of the applications link that was served before", func(Field) bool { return served }})
		}
		if !judged && lost != nil {
			c.unseen(lost)
		}
		if !judged {
			c.notExercised("the evidence shows no user resource before the POST on applications")
		}
	})
	t.requirement("create-application.5.content-type", func(c *check) {
		for _, r := range c.creations() {
			c.Expect(r.RequestHeader("Content-Type")).To(stringThat("a media type of UCWA, such as application/json", func(s string) bool {
				return s != "" && isJSONMedia(s) || isXMLMedia(s)
			}))
		}
	})
	t.requirement("create-application.5.body.json", func(c *check) {
		for _, r := range c.creations() {
			c.Expect(r.RequestDocument()).To(beObject())
		}
	})
	for _, property := range creation {
		t.requirement("create-application.5.body."+property.name, func(c *check) {
			for _, r := range c.creations() {
				object, err := r.requestObject()
				if err != nil && (c.Driven || !r.bodyLost()) {
					c.blocked("create-application.5.body.json", r.Exchange)
				}
				value, ok := member(object, property.name)
				c.Expect(r.field("request body."+property.name, value, ok)).To(stringThat(property.expected, property.form))
			}
		})
	}
	t.requirement("create-application.5.status", func(c *check) {
		a := c.all(partCreate)[0]
		if a.wasThere() {
			c.Expect(a.Status()).To(beOneOf(http.StatusCreated, http.StatusOK))
			return
		}
		c.Expect(a.Status()).To(beOneOf(http.StatusCreated))
	})
	t.requirement("create-application.5.json", func(c *check) {
		a := c.all(partCreate)[0]
		c.success(a, "create-application.5.status")
		c.Expect(a.Document()).To(beObject())
		c.expectJSONMedia(a)
	})
	created := func(id string, want func(c *check, a answer) types.GomegaMatcher, path ...string) {
		t.requirement("create-application.5."+id, func(c *check) {
			a := c.all(partCreate)[0]
			c.Expect(a.JSON(path...)).To(want(c, a))
		})
	}
	is := func(m matcher) func(*check, answer) types.GomegaMatcher {
		return func(*check, answer) types.GomegaMatcher { return m }
	}
	created("rel", is(beOneOf("application")), "rel")
	for _, rel := range []string{"self", "policies", "batch", "events"} {
		created("link."+rel, is(leadSomewhere()), "_links", rel)
	}
	created("link.events-ack", func(c *check, a answer) types.GomegaMatcher {
		c.needs(a.JSON("_links", "events"), "create-application.5.link.events")
		return leadTo("a link with ack=, a whole number", func(u *url.URL) bool { _, ok := ackOf(u); return ok })
	}, "_links", "events")
	created("embedded.me", is(beObject()), "_embedded", "me")
	for _, rel := range []string{"people", "onlineMeetings", "communication"} {
		t.requirement("create-application.5.embedded."+rel, func(c *check) {
			a := c.all(partCreate)[0]
			c.noGuest()
			c.Expect(a.JSON("_embedded", rel)).To(beObject())
			c.Expect(a.JSON("_embedded", rel, "rel")).To(beOneOf(rel))
			c.Expect(a.JSON("_embedded", rel, "_links", "self")).To(leadSomewhere())
		})
	}
	for _, group := range []struct {
		rel, id string
		links   []string
	}{
		{"me", "self", []string{"self"}},
		{"people", "links", []string{"presenceSubscriptions", "subscribedContacts", "presenceSubscriptionMemberships", "myGroups", "myContacts", "search"}},
		{"people", "more", []string{"myGroupMemberships", "myPrivacyRelationships", "myContactsAndGroupsSubscription"}},
		{"onlineMeetings", "links", []string{"myOnlineMeetings", "onlineMeetingDefaultValues", "onlineMeetingEligibleValues", "onlineMeetingPolicies"}},
		{"onlineMeetings", "more", []string{"onlineMeetingInvitationCustomization", "phoneDialInInformation"}},
		{"communication", "links", []string{"conversations"}},
		{"communication", "start", []string{"startMessaging", "startOnlineMeeting", "joinOnlineMeeting"}},
	} {
		t.requirement("create-application.5."+group.rel+"."+group.id, func(c *check) {
			a := c.embedding(group.rel)
			for _, rel := range group.links {
				c.Expect(a.related(group.rel, rel)).To(leadSomewhere())
			}
		})
	}
	t.requirement("create-application.5.onlineMeetings.assigned", func(c *check) {
		c.ifSent(c.embedding("onlineMeetings").related("onlineMeetings", "myAssignedOnlineMeeting"), leadSomewhere())
	})
	for _, property := range []struct {
		rel, id, name string
		want          matcher
	}{
		{"me", "rel", "rel", beOneOf("me")},
		{"me", "name", "name", beText()},
		{"me", "uri", "uri", stringThat("a SIP URI, sip:user@domain", sipURI.MatchString)},
		{"communication", "modalities", "supportedModalities", satisfy("a list", func(v any) bool { _, ok := v.([]any); return ok })},
		{"communication", "formats", "supportedMessageFormats", satisfy("a list with Plain", func(v any) bool {
			list, _ := v.([]any)
			return slices.Contains(list, any("Plain"))
		})},
		{"communication", "etag", "etag", stringThat("a string of decimal digits", decimal.MatchString)},
	} {
		t.requirement("create-application.5."+property.rel+"."+property.id, func(c *check) {
			c.Expect(c.embedding(property.rel).JSON("_embedded", property.rel, property.name)).To(property.want)
		})
	}
	t.requirement("create-application.5.communication.put", func(c *check) {
		c.Expect(c.embedding("communication").JSON("_embedded", "communication")).To(satisfy("an object with a property of the value please pass this in a PUT request", func(v any) bool {
			object, _ := v.(map[string]any)
			return slices.ContainsFunc(slices.Collect(maps.Values(object)), func(v any) bool {
				text, _ := v.(string)
				return strings.HasSuffix(text, "in a PUT request") // of the rest, whoever hides names may take a word for one
			})
		}))
	})
	cookieSpecs(t, "create-application.5.cookie.", partCreate)
	t.requirement("create-application.5.headers.cache", func(c *check) {
		a := c.all(partCreate)[0]
		c.success(a, "create-application.5.status")
		c.Expect(a.Header("Cache-Control")).To(forbidCaching())
	})
	for _, name := range []string{"culture", "userAgent"} {
		created(name, func(c *check, a answer) types.GomegaMatcher {
			if a.wasThere() {
				c.notApplicable("the application was there before the POST, and is as it was created then")
			}
			return asAsked(a, name)
		}, name)
	}
	t.requirement("create-application.5.again", func(c *check) {
		for _, a := range c.all(partAgain) {
			c.Expect(a.Status()).To(beOneOf(http.StatusOK, http.StatusCreated))
			first := c.all(partCreate)[0]
			self, err := resolveLink(first.JSON("_links", "self").Value, first.url)
			if err != nil {
				c.blocked("create-application.5.link.self", first.Exchange)
			}
			c.Expect(a.JSON("_links", "self")).To(matcher{"a link to " + self.String(), func(f Field) bool {
				u, err := resolveLink(f.Value, a.url)
				return err == nil && linkKey(u) == linkKey(self)
			}})
		}
	})
}

// createRefusals certify what is refused before there is an application.
func createRefusals(t *tree) {
	for _, refusal := range []struct{ part, code string }{
		{"grant-unsupported", "unsupported_grant_type"},
		{"grant-missing", "invalid_request"},
		{"grant-invalid", "invalid_grant"},
	} {
		t.requirement("create-application.refusal."+refusal.part, func(c *check) {
			if len(c.parts[refusal.part]) == 0 && refusal.part == "grant-invalid" && c.offersNoPassword() {
				c.notApplicable("no challenge offers the grant password")
			}
			c.behindWindows(refusal.part)
			for _, a := range c.all(refusal.part) {
				c.Expect(a.Status()).To(beOneOf(http.StatusBadRequest))
				c.Expect(a.Error("error")).To(beOneOf(refusal.code))
				c.expectJSONMedia(a)
			}
		})
	}
	t.requirement("create-application.refusal.diagnostics", func(c *check) {
		var list []answer
		for _, part := range []string{"grant-unsupported", "grant-missing", "grant-invalid"} {
			list = append(list, c.optional(part)...)
		}
		if len(list) == 0 {
			c.behindWindows("grant-unsupported")
			c.missing("grant-unsupported")
		}
		for _, a := range list {
			c.Expect(a.Header("X-Ms-Diagnostics")).To(stringThat(`NNNNN;source="…";reason="…"`, func(s string) bool {
				d := ucwa.ParseDiagnostics(s)
				return d.Code != "" && d.Source != "" && d.Reason != ""
			}))
		}
	})
	t.requirement("create-application.refusal.no-token", func(c *check) {
		for _, a := range c.all("create-no-token") {
			c.Expect(a.Status()).To(beOneOf(http.StatusUnauthorized))
			c.Expect(a.Header("WWW-Authenticate")).To(a.challengeThat(`MsRtcOAuth href="https://…",grant_type="…"`, func(ch ucwa.Challenge) bool {
				return isTokenChallenge(ch, a.url)
			}))
		}
	})
	t.requirement("create-application.refusal.bad-token", func(c *check) {
		for _, a := range c.all("create-bad-token") {
			c.Expect(a.Status()).To(beOneOf(http.StatusUnauthorized))
		}
	})
	t.requirement("create-application.refusal.token-elsewhere", func(c *check) {
		if len(c.parts["create-elsewhere"]) == 0 && c.oneHost() {
			c.notApplicable("one host issues the tokens and has the applications")
		}
		for _, a := range c.all("create-elsewhere") {
			c.Expect(a.Status()).To(beOneOf(http.StatusForbidden, http.StatusInternalServerError))
		}
	})
}

// sent returns the client's own requests on a rel of the sign-in.
func (c *check) sent(rel string) []answer {
	var list []answer
	for _, x := range c.Exchanges {
		if x.is(rel) && x.Probe == "" && x.Response.Code != 0 {
			list = append(list, answer{x, c})
		}
	}
	return list
}

// creations returns the requests with which the client itself creates an application.
func (c *check) creations() []answer {
	var list []answer
	for _, x := range c.Exchanges {
		if x.is("applications") && x.Request.Method == http.MethodPost && x.Probe == "" && x.Response.Code != 0 && !c.asksForIssuer(x) {
			list = append(list, answer{x, c})
		}
	}
	if len(list) == 0 {
		c.missing(partCreate)
	}
	return list
}

// asksForIssuer reports whether x is sent without a token to learn where the host gets its
// tokens, as the documentation has it for a host that is another than the first. The first
// challenge of a host tells it; who sends none later on has forgotten the token.
func (e *Evidence) asksForIssuer(x *Exchange) bool {
	if x.authorization() != "" || issuerOf(x) == nil {
		return false
	}
	here := ucwa.Origin(x.url)
	first := slices.IndexFunc(e.index.challenges, func(c challenge) bool { return c.at == here })
	return e.index.challenges[first].by == x.ID
}

// tokenRequests returns the requests with which the client itself asked for a token. A leg
// of NTLM or Negotiate is none yet: browsers keep the form back until the server knows them.
func (c *check) tokenRequests() []answer {
	list := slices.DeleteFunc(c.sent(relToken), func(a answer) bool {
		bare := a.Request.Body == "" && a.authorization() != ""
		return aside(a.Exchange) || bare && a.Response.Code == http.StatusUnauthorized && windowsLeg(a.Exchange)
	})
	if len(list) == 0 {
		c.missing(partToken)
	}
	return list
}

// formOrBlocked returns the form in a token request, of which another requirement
// says that it must be one.
func (a answer) formOrBlocked() url.Values {
	form, err := a.form()
	if err != nil {
		a.check.blocked("create-application.3.form", a.Exchange)
	}
	return form
}

func (a answer) formField(form url.Values, name string) Field {
	return a.field("request body."+name, form.Get(name), form.Has(name))
}

// challenge returns the answer to the user resource without a token, if it is a challenge.
func (c *check) challenge() answer {
	a := c.all(partChallenge)[0]
	if a.Response.Code != http.StatusUnauthorized {
		c.blocked("create-application.2.status", a.Exchange)
	}
	return a
}

// issuer ends the spec where the challenge leads nowhere.
func (c *check) issuer(a answer) {
	if issuerOf(a.Exchange) == nil {
		c.blocked("create-application.2.challenge", a.Exchange)
	}
}

// challengeThat matches WWW-Authenticate where one of its challenges is such.
func (a answer) challengeThat(expected string, fulfils func(ucwa.Challenge) bool) matcher {
	return matcher{expected, func(Field) bool {
		return slices.ContainsFunc(ucwa.ParseChallenges(cassettes.HeaderValues(a.Response.Headers, "WWW-Authenticate")), fulfils)
	}}
}

// signedInBy ends the spec where the credentials that the run was given are wrong:
// the server is right then.
func (c *check) signedInBy(a answer) {
	if a.later() {
		c.look("200 OK", a.Status())
		c.stop(reports.Error, fmt.Sprintf("the server asked to come again later (%d in exchange %d): a password is sent once, so run again then", a.Response.Code, a.ID))
	}
	if a.Response.Code == http.StatusBadRequest && errorOf(a.Exchange) == "invalid_grant" || a.Response.Code == http.StatusUnauthorized {
		c.look("200 OK", a.Status())
		c.stop(reports.Error, fmt.Sprintf("the credentials of this run were refused, so nothing follows (%d in exchange %d)", a.Response.Code, a.ID))
	}
}

// challengeLostBefore returns an exchange before r whose challenge, if it had one, the evidence does not show.
func (c *check) challengeLostBefore(r answer) *Exchange {
	for _, x := range c.Exchanges {
		if !c.Driven && x.ID < r.ID && (x.answerHeadersLost() || x.Failure != "") && (len(x.rels) > 0 || x.url.Host == r.url.Host) {
			return x
		}
	}
	return nil
}

// challenged reports whether a challenge before r led to where it is sent.
func (c *check) challenged(r answer) bool {
	return slices.ContainsFunc(c.index.challenges, func(ch challenge) bool { return ch.by < r.ID && linkKey(ch.url) == linkKey(r.url) })
}

// offersNoPassword reports whether there are challenges, none of which offers the
// grant password.
func (c *check) offersNoPassword() bool {
	challenged := false
	for _, x := range c.Exchanges {
		i := issuerOf(x)
		challenged = challenged || i != nil
		if i != nil && slices.ContainsFunc(i.grants, func(g string) bool { return strings.EqualFold(g, ucwa.GrantPassword) }) {
			return false
		}
	}
	return challenged
}

// behindWindows ends the spec where a Windows sign-in stands before the token endpoint,
// and answered in its place: of the endpoint that shows nothing.
func (c *check) behindWindows(probe string) {
	asked := slices.ContainsFunc(c.Exchanges, func(x *Exchange) bool {
		return x.Probe == probe && x.is(relToken) && x.Response.Code == http.StatusUnauthorized && windowsLeg(x)
	})
	if asked && c.signedInWith(ucwa.GrantWindows) && len(c.parts[probe]) == 0 {
		c.notApplicable("a Windows sign-in (NTLM or Negotiate) stands before the token endpoint, and asks who it is before the form is read")
	}
}

// signedInWith reports whether a token was had by that grant.
func (c *check) signedInWith(grant string) bool {
	return slices.ContainsFunc(c.parts[partToken], func(x *Exchange) bool {
		form, err := x.form()
		return err == nil && x.succeeded() && strings.EqualFold(form.Get("grant_type"), grant)
	})
}

// oneHost reports whether tokens are issued by the host that has the applications.
func (c *check) oneHost() bool {
	for _, a := range c.parts[partUser] {
		for _, b := range c.parts[partCreate] {
			if ucwa.Origin(a.url) == ucwa.Origin(b.url) {
				return true
			}
		}
	}
	return false
}

// wasThere reports whether the endpoint had the application before: of what others recorded, the beginning may be missing.
func (a answer) wasThere() bool {
	object, _ := a.object()
	return !a.check.Driven && a.Response.Code == http.StatusOK && (a.lost || object["rel"] == "application")
}

// asAsked matches what the request said under that name. Culture names have no casing. What
// the client left out, or nobody kept, the server need not tell.
func asAsked(a answer, name string) matcher {
	if a.bodyLost() && !a.check.Driven {
		a.check.stop(reports.Error, fmt.Sprintf("the capture does not hold the body of the request of exchange %d, %s %s", a.ID, a.Request.Method, a.Request.URL))
	}
	object, _ := a.requestObject()
	value, _ := member(object, name)
	text, _ := value.(string)
	if text == "" {
		a.check.notApplicable(fmt.Sprintf("the client does not tell its %s in exchange %d", name, a.ID))
	}
	return stringThat(text, func(s string) bool { return s == text || name == "culture" && strings.EqualFold(s, text) })
}

// noGuest ends a spec about what only users with an account are shown.
func (c *check) noGuest() {
	if c.signedInWith(ucwa.GrantAnonMeeting) {
		c.notApplicable("the user is a guest in a meeting")
	}
}

// embedding returns the answer with the application, of which the spec wants to know what stands in an embedded resource.
func (c *check) embedding(rel string) answer {
	a := c.all(partCreate)[0]
	if rel != "me" {
		c.noGuest()
	}
	if _, ok := a.JSON("_embedded", rel).Value.(map[string]any); !ok {
		c.blocked("create-application.5.embedded."+rel, a.Exchange)
	}
	return a
}

// related is a link of an embedded resource, or that to itself of what stands there whole in its place.
func (a answer) related(rel, name string) Field {
	if whole := a.JSON("_embedded", rel, "_embedded", name, "_links", "self"); !whole.Absent {
		return whole
	}
	return a.JSON("_embedded", rel, "_links", name)
}

// framedBefore reports whether u was served as the cross-domain frame before r was asked.
func (c *check) framedBefore(u *url.URL, r answer) bool {
	return slices.ContainsFunc(c.served[linkKey(u)], func(s serving) bool { return s.rel == "xframe" && c.Exchanges[s.by].ID < r.ID })
}

func isHTMLMedia(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "text/html" || media == "application/xhtml+xml"
}

var decimal = regexp.MustCompile(`^[0-9]+$`)

// leadOnSafely matches a link that may lead to another host, over a channel no weaker
// than the one that served it.
func leadOnSafely() matcher {
	return matcher{"a link whose href is a URL, of https where the resource is", func(f Field) bool {
		href, _ := dig(f.Value, "href")
		text, _ := href.(string)
		u, err := ucwa.Resolve(f.x.url, text)
		return err == nil && safely(u, f.x.url)
	}}
}

func safely(u, from *url.URL) bool {
	return u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && from.Scheme == "http")
}

func isLifetime(v any) bool {
	text, isText := v.(string)
	if number, ok := v.(json.Number); ok {
		text, isText = number.String(), true
	}
	n, err := strconv.ParseFloat(text, 64)
	return isText && err == nil && n > 0
}
