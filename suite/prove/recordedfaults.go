package prove

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// recordedFaults are the faults of clients which no program that uses net/http can be made to have. Those are put
// into the recording of a client.
func recordedFaults() []fault {
	var list []fault
	recorded := func(name, breaks, requirement, field string, edit func([]cassettes.Exchange) []cassettes.Exchange, also ...string) {
		list = append(list, fault{
			Fault: Fault{Name: requirement + "/" + name, Subject: "client", Breaks: breaks, Requirement: requirement, Field: field, Also: also},
			examine: func(ctx context.Context) ([]reports.Result, error) {
				return onClient(ctx, strings.HasPrefix(requirement, signInTask), nil, edit)
			},
		})
	}
	length := func(add int) func([]cassettes.Exchange) []cassettes.Exchange {
		return onPresence(func(x cassettes.Exchange) {
			x.Request.Headers["Content-Length"] = []string{strconv.Itoa(len(x.Request.Body) + add)}
		})
	}
	recorded("length-long", "Content-Length is more than the body has", "set-presence.request.content-length", "request header Content-Length", length(1))
	recorded("length-short", "Content-Length is less than the body has", "set-presence.request.content-length", "request header Content-Length", length(-1))
	// stale moves a link in the application that is served last before the first such request, which then is that of before.
	stale := func(link string, first func(cassettes.Exchange) bool) func([]cassettes.Exchange) []cassettes.Exchange {
		return func(list []cassettes.Exchange) []cassettes.Exchange {
			i := slices.IndexFunc(list, first)
			move := func(x cassettes.Exchange) cassettes.Exchange {
				x = clone(x)
				x.Response.Body = strings.Replace(x.Response.Body, link, link+"2", 1)
				return x
			}
			moved := slices.Clone(list[:i])
			for _, x := range slices.Backward(list[:i]) {
				if strings.Contains(x.Response.Body, `"rel":"application"`) { // served anew, with the link moved
					moved = append(moved, move(x))
					break
				}
			}
			for _, x := range list[i:] {
				moved = append(moved, move(x))
			}
			return moved
		}
	}
	asks := func(method, path string) func(cassettes.Exchange) bool {
		return func(x cassettes.Exchange) bool {
			return x.Request.Method == method && strings.HasSuffix(x.Request.URL, path)
		}
	}
	recorded("presence-link-stale", "presence is set at a link that the application served no more", "set-presence.4.cache", "request URL",
		stale("/me/presence", isPresence), "get-presence.5.link", "get-presence.6.link.self")
	recorded("link-stale", "presence is read at a link that the application served no more", "get-presence.5.link", "request URL",
		stale("/me/presence", asks(http.MethodGet, "/me/presence")), "set-presence.4.cache", "get-presence.6.link.self")
	recorded("link-stale", "the note is read at a link that the application served no more", "get-note.5.link", "request URL",
		stale("/me/note", asks(http.MethodGet, "/me/note")), "set-note.5.link", "get-note.6.link.self")
	recorded("link-stale", "the note is set at a link that the application served no more", "set-note.5.link", "request URL",
		stale("/me/note", asks(http.MethodPost, "/me/note")), "get-note.5.link", "get-note.6.link.self")
	recorded("presence-query-dropped", "presence is set at its link without the query that stands there", "set-presence.nav.links", "request URL",
		func(list []cassettes.Exchange) []cassettes.Exchange {
			for i := range list {
				list[i] = clone(list[i])
				list[i].Response.Body = strings.ReplaceAll(list[i].Response.Body, `/me/presence"`, `/me/presence?user=dana"`)
			}
			return list
		}, "set-presence.4.cache", "get-presence.5.link")
	recorded("probe-pretended", "a request without a token calls itself a probe", "set-presence.request.authorization", "request header Authorization",
		onPresence(func(x cassettes.Exchange) {
			x.Request.Headers.Set("User-Agent", "conform (probe restore)")
			x.Request.Headers.Del("Authorization")
		}))
	recorded("application-not-read", "presence is set without reading the application again", "set-presence.3.request.get", "requests before it",
		func(list []cassettes.Exchange) []cassettes.Exchange {
			available := false
			return slices.DeleteFunc(list, func(x cassettes.Exchange) bool {
				available = available || strings.HasSuffix(x.Request.URL, "/makeMeAvailable")
				return available && x.Request.Method == http.MethodGet && strings.Contains(x.Response.Body, `"rel":"application"`)
			})
		}, "set-presence.nav.links")
	recorded("challenge-not-asked", "a token is asked for without asking the user resource first", "create-application.2.no-token", "request order",
		func(list []cassettes.Exchange) []cassettes.Exchange {
			return slices.DeleteFunc(list, func(x cassettes.Exchange) bool {
				return x.Response.Code == http.StatusUnauthorized && strings.HasSuffix(x.Request.URL, "/user")
			})
		})
	return list
}

func isPresence(x cassettes.Exchange) bool {
	return x.Request.Method == http.MethodPost && strings.HasSuffix(x.Request.URL, "/presence")
}

// onPresence edits the first POST on presence.
func onPresence(edit func(x cassettes.Exchange)) func([]cassettes.Exchange) []cassettes.Exchange {
	return func(list []cassettes.Exchange) []cassettes.Exchange {
		edit(list[slices.IndexFunc(list, isPresence)])
		return list
	}
}
