package suite

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// setPresence certifies "Set my presence information", step by step as the page
// has it. What each requirement says stands in setpresence.yaml under its id.
func setPresence(t *tree) {
	t.step("pre", func() {
		t.requirement("set-presence.pre.self", func(c *check) {
			for _, a := range c.all(partBefore) {
				c.admitted(a)
				c.Expect(a.Status()).To(beOneOf(http.StatusOK))
				c.Expect(a.Document()).To(beObject())
				c.Expect(a.JSON("_links", "self")).To(leadToOrigin())
			}
		})
	})

	t.step("1", func() {
		t.requirement("set-presence.1.link.present", func(c *check) {
			for _, a := range c.unused() {
				c.Expect(a.JSON("_embedded", "me", "_links", "makeMeAvailable")).To(beLink())
			}
		})
		t.requirement("set-presence.1.link.href", func(c *check) {
			for _, a := range c.unused() {
				link := a.JSON("_embedded", "me", "_links", "makeMeAvailable")
				if _, ok := linkOf(link.Value); !ok {
					c.blocked("set-presence.1.link.present", a.Exchange)
				}
				c.Expect(link).To(leadToOrigin())
			}
		})
		for _, absent := range []struct{ id, rel string }{
			{"set-presence.1.absent.presence", "presence"},
			{"set-presence.1.absent.note", "note"},
			{"set-presence.1.absent.location", "location"},
			{"set-presence.1.absent.reportMyActivity", "reportMyActivity"},
		} {
			t.requirement(absent.id, func(c *check) {
				for _, a := range c.unused() {
					c.Expect(a.JSON("_embedded", "me", "_links", absent.rel)).To(beAbsent())
				}
			})
		}
		clientRequests(t)
		t.requirement("set-presence.1.body.json", func(c *check) {
			judged := false
			for _, r := range c.requests("POST", "makeMeAvailable") {
				if r.onlyInQuery("supportedModalities") {
					continue
				}
				judged = true
				c.Expect(r.RequestDocument()).To(beProperties())
			}
			if !judged {
				c.notApplicable("the input of makeMeAvailable is in the query")
			}
		})
		t.requirement("set-presence.1.body.modalities", func(c *check) {
			given := false
			for _, r := range c.requests("POST", "makeMeAvailable") {
				r.notXML(r.Request.Headers)
				if r.bodyLost() && !c.Driven {
					c.unkept = cmp.Or(c.unkept, r.Exchange)
					continue
				}
				if r.onlyInQuery("supportedModalities") {
					continue
				}
				object, err := r.requestObject()
				if err != nil {
					c.blocked("set-presence.1.body.json", r.Exchange)
				}
				value, ok := member(object, "supportedModalities")
				if !ok || value == nil {
					continue
				}
				given = true
				f := r.field("request body.supportedModalities", value, true)
				c.Expect(f).To(satisfy("a list", func(v any) bool { _, ok := v.([]any); return ok }))
				for i, item := range value.([]any) {
					c.Expect(f.within(fmt.Sprint(i), item, true)).To(beOneOfNames(ucwa.ModalityTypes()))
				}
			}
			if !given && c.unkept == nil {
				c.notApplicable("no makeMeAvailable names modalities; none is required")
			}
		})
	})

	t.step("2", func() {
		t.requirement("set-presence.2.status", func(c *check) {
			c.Expect(c.all(partMake)[0].Status()).To(beOneOf(http.StatusNoContent))
		})
		t.requirement("set-presence.2.body", func(c *check) {
			a := c.all(partMake)[0]
			c.success(a, "set-presence.2.status")
			c.expectNoContent(a)
		})
		t.requirement("set-presence.2.headers.cache", func(c *check) {
			a := c.all(partMake)[0]
			c.success(a, "set-presence.2.status")
			c.Expect(a.Header("Cache-Control")).To(forbidCaching())
		})
		t.requirement("set-presence.2.headers.date", func(c *check) {
			c.ifSent(c.all(partMake)[0].Header("Date"), stringThat("an HTTP date", isHTTPDate))
		})
		t.requirement("set-presence.2.headers.fqdn", func(c *check) {
			c.ifSent(c.all(partMake)[0].Header("X-MS-Server-Fqdn"), stringThat("a host name", hostName.MatchString))
		})
	})

	t.step("3", func() {
		t.requirement("set-presence.3.request.get", func(c *check) {
			post := c.requests("POST", "presence")[0]
			available := c.optional(partMake)
			if len(available) == 0 || available[0].ID > post.ID {
				c.notExercised("the evidence does not show makeMeAvailable before presence")
			}
			between := post.field("requests before it", "no GET on the application since makeMeAvailable", true)
			for _, x := range c.Exchanges { // also one whose answer nobody kept
				if x.Probe == "" && x.is("application") && x.Request.Method == "GET" && x.ID > available[0].ID && x.ID < post.ID {
					between = answer{x, c}.field("request", "GET on the application", true)
				}
			}
			if between.x == post.Exchange && !c.isAfter(post.Exchange, available[0].Exchange) {
				c.notExercised("the capture does not tell in which order makeMeAvailable and presence were asked for")
			}
			c.Expect(between).To(beOneOf("GET on the application"))
		})
		t.requirement("set-presence.3.request.body", func(c *check) {
			for _, r := range c.gets() {
				c.Expect(r.RequestBody()).To(beEmpty())
			}
		})
		t.requirement("set-presence.3.request.content-type", func(c *check) {
			for _, r := range c.gets() {
				c.Expect(r.RequestHeader("Content-Type")).To(beAbsent())
			}
		})
	})

	t.step("4", func() {
		t.requirement("set-presence.4.status", func(c *check) {
			for _, a := range c.all(partAfter) {
				c.Expect(a.Status()).To(beOneOf(http.StatusOK))
			}
		})
		t.requirement("set-presence.4.media", func(c *check) {
			for _, a := range c.all(partAfter) {
				c.content(a, "set-presence.4.status")
				a.notXML(a.Response.Headers)
				c.Expect(a.Header("Content-Type")).To(stringThat("application/json or application/vnd.microsoft.com.ucwa+json",
					func(s string) bool { return s != "" && isJSONMedia(s) }))
			}
		})
		t.requirement("set-presence.4.json", func(c *check) {
			for _, a := range c.all(partAfter) {
				c.content(a, "set-presence.4.status")
				c.Expect(a.Document()).To(beObject())
			}
		})
		t.requirement("set-presence.4.rel", func(c *check) {
			for _, a := range c.all(partAfter) {
				c.Expect(a.JSON("rel")).To(beOneOf("application"))
			}
		})
		t.requirement("set-presence.4.culture", func(c *check) {
			for _, a := range c.all(partAfter) {
				c.Expect(a.JSON("culture")).To(c.asCreated("culture", stringThat("a language tag", languageTag.MatchString)))
			}
		})
		t.requirement("set-presence.4.userAgent", func(c *check) {
			for _, a := range c.all(partAfter) {
				c.Expect(a.JSON("userAgent")).To(c.asCreated("userAgent", beText()))
			}
		})
		t.requirement("set-presence.4.links.self", func(c *check) {
			for _, a := range c.all(partAfter) {
				c.Expect(a.JSON("_links", "self")).To(leadTo("a link to the application that was asked for",
					func(u *url.URL) bool { return linkKey(u) == linkKey(a.url) }))
			}
		})
		for _, link := range []struct{ id, rel string }{
			{"set-presence.4.links.policies", "policies"},
			{"set-presence.4.links.batch", "batch"},
			{"set-presence.4.links.events", "events"},
		} {
			t.requirement(link.id, func(c *check) {
				for _, a := range c.all(partAfter) {
					c.Expect(a.JSON("_links", link.rel)).To(leadToOrigin())
				}
			})
		}
		t.requirement("set-presence.4.links.events-ack", func(c *check) {
			for _, a := range c.all(partAfter) {
				link := a.JSON("_links", "events")
				c.needs(link, "set-presence.4.links.events")
				c.Expect(link).To(leadTo("a link with ack=, a whole number", func(u *url.URL) bool { _, ok := ackOf(u); return ok }))
			}
		})
		t.requirement("set-presence.4.embedded.me", func(c *check) {
			for _, a := range c.all(partAfter) {
				c.Expect(a.JSON("_embedded", "me")).To(beObject())
			}
		})
		for _, embedded := range []struct{ id, rel string }{
			{"set-presence.4.embedded.people", "people"},
			{"set-presence.4.embedded.onlineMeetings", "onlineMeetings"},
			{"set-presence.4.embedded.communication", "communication"},
		} {
			t.requirement(embedded.id, func(c *check) {
				for _, a := range c.all(partAfter) {
					c.Expect(a.JSON("_embedded", embedded.rel)).To(beObject())
					c.Expect(a.JSON("_embedded", embedded.rel, "rel")).To(beOneOf(embedded.rel))
				}
			})
		}
		t.requirement("set-presence.4.me.name", func(c *check) {
			for _, me := range c.me() {
				c.Expect(me.JSON("_embedded", "me", "name")).To(beText())
			}
		})
		t.requirement("set-presence.4.me.uri", func(c *check) {
			for _, me := range c.me() {
				uri := me.JSON("_embedded", "me", "uri")
				c.Expect(uri).To(stringThat("a SIP URI, sip:user@domain", sipURI.MatchString))
				if before, ok := c.before("_embedded", "me", "uri"); ok {
					c.Expect(uri).To(stringThat(fmt.Sprintf("%v, as before makeMeAvailable", before),
						func(s string) bool { return strings.EqualFold(s, fmt.Sprint(before)) }))
				}
			}
		})
		t.requirement("set-presence.4.me.emailAddresses", func(c *check) {
			for _, me := range c.me() {
				c.ifSent(me.JSON("_embedded", "me", "emailAddresses"), satisfy("a list of e-mail addresses", isAddressList))
			}
		})
		t.requirement("set-presence.4.me.rel", func(c *check) {
			for _, me := range c.me() {
				c.Expect(me.JSON("_embedded", "me", "rel")).To(beOneOf("me"))
			}
		})
		t.requirement("set-presence.4.me.links.presence", func(c *check) {
			for _, me := range c.me() {
				c.Expect(me.JSON("_embedded", "me", "_links", "presence")).To(leadToOrigin())
			}
		})
		for _, link := range []struct{ id, rel string }{
			{"set-presence.4.me.links.note", "note"},
			{"set-presence.4.me.links.location", "location"},
			{"set-presence.4.me.links.reportMyActivity", "reportMyActivity"},
		} {
			t.requirement(link.id, func(c *check) {
				for _, me := range c.me() {
					f := me.JSON("_embedded", "me", "_links", link.rel)
					c.Expect(f).To(leadToOrigin())
					u, _ := resolveOwn(f.Value, me.url)
					c.Expect(f).To(matcher{"a link to a resource of its own", func(Field) bool { return !me.taken(u, link.rel) }})
				}
			})
		}
		for _, link := range []struct{ id, rel string }{
			{"set-presence.4.me.links.self", "self"},
			{"set-presence.4.me.links.callForwardingSettings", "callForwardingSettings"},
			{"set-presence.4.me.links.phones", "phones"},
		} {
			t.requirement(link.id, func(c *check) {
				for _, me := range c.me() {
					c.ifSent(me.JSON("_embedded", "me", "_links", link.rel), leadToOrigin())
				}
			})
		}
		t.requirement("set-presence.4.me.links.photo", func(c *check) {
			for _, me := range c.me() {
				c.ifSent(me.JSON("_embedded", "me", "_links", "photo"), leadAnywhere())
			}
		})
		t.requirement("set-presence.4.me.links.makeMeAvailable", func(c *check) {
			for _, me := range c.me() {
				c.Expect(me.JSON("_embedded", "me", "_links", "makeMeAvailable")).To(beAbsent())
			}
		})
		cookieSpecs(t, "set-presence.4.cookie.", partAfter)
		t.requirement("set-presence.4.headers.cache", func(c *check) {
			for _, a := range c.all(partAfter) {
				c.success(a, "set-presence.4.status")
				c.Expect(a.Header("Cache-Control")).To(forbidCaching())
			}
		})
		t.requirement("set-presence.4.cache", func(c *check) {
			judged := false
			for _, r := range c.requests("POST", "presence") {
				if served := c.lastServed("presence", r); served != nil {
					if x := c.mayHaveServed(r.Exchange); x != nil && !follows(r.url, served) {
						continue // it may have been served anew
					}
					judged = true
					c.Expect(r.URL()).To(stringThat("the presence link served last, "+served.String(),
						func(string) bool { return follows(r.url, served) }))
				}
			}
			if !judged {
				c.notExercised("the evidence shows no presence link served before the POST on presence")
			}
		})
	})

	t.step("5", func() {
		t.requirement("set-presence.5.body.json", func(c *check) {
			for _, r := range c.requests("POST", "presence") {
				if strings.TrimSpace(r.Request.Body) == "" {
					c.Expect(r.RequestBody()).To(beEmpty())
					continue
				}
				c.Expect(r.RequestDocument()).To(beProperties())
			}
		})
		t.requirement("set-presence.5.body.availability", func(c *check) {
			judged := false
			for _, r := range c.requests("POST", "presence") {
				if value, ok := r.inQuery("availability"); ok {
					judged = true
					c.Expect(r.field("request URL.availability", value, true)).To(beOneOfNames(ucwa.PreferredAvailabilities()))
				}
				object, err := r.requestObject()
				if err != nil {
					continue // set-presence.5.body.json speaks of it
				}
				if value, ok := member(object, "availability"); ok && value != nil {
					judged = true
					c.Expect(r.field("request body.availability", value, true)).To(beOneOfNames(ucwa.PreferredAvailabilities()))
				}
			}
			if !judged {
				c.notExercised("no POST on presence sets an availability")
			}
		})
	})

	t.step("6", func() {
		t.requirement("set-presence.6.status", func(c *check) {
			for _, a := range c.all(partPresence) {
				c.Expect(a.Status()).To(beOneOf(http.StatusNoContent))
			}
		})
		t.requirement("set-presence.6.body", func(c *check) {
			for _, a := range c.all(partPresence) {
				c.success(a, "set-presence.6.status")
				c.expectNoContent(a)
			}
		})
		t.requirement("set-presence.6.headers.cache", func(c *check) {
			for _, a := range c.all(partPresence) {
				c.success(a, "set-presence.6.status")
				c.Expect(a.Header("Cache-Control")).To(forbidCaching())
			}
		})
		t.requirement("set-presence.6.received", func(c *check) {
			c.readBack(false)
		})
		t.requirement("set-presence.6.read", func(c *check) {
			for _, a := range c.all(partRead) {
				c.Expect(a.Status()).To(beOneOf(http.StatusOK))
				c.Expect(a.Document()).To(beObject())
				c.expectJSONMedia(a)
			}
		})
		t.requirement("set-presence.6.rel", func(c *check) {
			for _, a := range c.all(partRead) {
				c.Expect(a.JSON("rel")).To(beOneOf("presence"))
			}
		})
		t.requirement("set-presence.6.availability", func(c *check) {
			for _, a := range c.all(partRead) {
				c.Expect(a.JSON("availability")).To(beOneOfNames(ucwa.Availabilities()))
			}
		})
	})

	t.step("event", func() { eventChannel(t) })
	t.step("refusal", func() { refusals(t) })
}
