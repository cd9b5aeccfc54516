package suite

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// declined is an ordinary request that the server answered with an error which the documentation
// lets it answer there: it is no failure of the server, and what follows from it is not judged.
type declined struct {
	*Exchange
	why string // what the error says, and what can be done
}

// declines returns what it means that the server answered an ordinary request with an error that the
// documentation has for it, "" if it did not. Sources: "Errors and informational messages", and the
// errors of the operations in the API reference. Those that all operations have there are accepted
// everywhere.
func (e *Evidence) declines(x *Exchange, part string) string {
	subcode := subcodeOf(x)
	switch code := x.Response.Code; {
	case x.Failure != "" || code < 400 || part == partGone:
		return ""
	case e.refusesOrigin(x):
		return "the origin in X-Ms-Origin is not on the server's list; the administrator can allow it (Set-CsWebServiceConfiguration)"
	case x.is(relRoot) || x.is(relUser) || x.is(relToken):
		return "" // which have no errors of operations
	case code == http.StatusForbidden && x.mayBeForbidden() &&
		(x.lost || hasCode(x) || len(cassettes.HeaderValues(x.Response.Headers, "X-Ms-Diagnostics")) > 0):
		return "the user may not do this: look at the user's policies, or use another user"
	case code == http.StatusForbidden && subcode == "MobileApplicationNoLongerAllowed":
		return "the user may not use mobile applications any more: look at the user's mobility policy, or use another user"
	case code == http.StatusGone && subcode == ucwa.SubcodeTooManyApplications:
		return "the user has too many applications: end some, or wait until the server ends those that are silent"
	case code == http.StatusGone && subcode != "" && subcode != ucwa.SubcodeApplicationNotFound && hasCode(x):
		return "what was asked for is gone"
	case code == http.StatusInternalServerError && slices.Contains([]string{"CallbackChannelError", "InvalidExchangeServerVersion"}, subcode):
		return "the deployment lacks what the operation needs: the server's event log tells more"
	case code == http.StatusConflict && !x.is("makeMeAvailable") && !x.is("events") && x.Request.Method != http.MethodDelete && hasCode(x) && slices.Contains([]string{"", ucwa.SubcodeAlreadyExists, "TooManyGroups"}, subcode):
		return "it conflicts with something that is there"
	}
	return ""
}

// mayBeForbidden reports whether the API reference lists 403 for what x asks to be done.
func (x *Exchange) mayBeForbidden() bool {
	return x.Request.Method != http.MethodGet && slices.ContainsFunc(x.rels, func(rel string) bool {
		resource, ok := api.ResourceOf(rel)
		if !ok {
			return false
		}
		operation, ok := resource.Operation(x.Request.Method)
		return ok && slices.ContainsFunc(operation.Errors, func(e api.Error) bool { return e.Status == http.StatusForbidden })
	})
}

// hasCode reports whether the answer is an error of UCWA's own.
func hasCode(x *Exchange) bool {
	object, _ := x.object()
	code, _ := member(object, "code")
	text, _ := code.(string)
	return text != ""
}

// refusesOrigin reports whether the server refused the origin that the request tells, and never accepts it.
func (e *Evidence) refusesOrigin(x *Exchange) bool {
	origin := x.requestHeader("X-Ms-Origin")
	return x.Response.Code == http.StatusForbidden && len(origin) > 0 && !e.accepts("X-Ms-Origin", origin) &&
		len(cassettes.HeaderValues(x.Response.Headers, "X-Ms-Diagnostics")) > 0
}

// declinedBefore ends the spec that found no exchange of a part, if the server declined it, or one that must come before it.
func (c *check) declinedBefore(part string) {
	for ; part != ""; part = roleOf(part).after {
		list := c.declined[part]
		if len(list) == 0 {
			continue
		}
		x := list[len(list)-1]
		c.look("an answer that is no error", answer{x.Exchange, c}.Status())
		c.stop(reports.NotExercised, fmt.Sprintf("exchange %d was answered with %d, as the documentation allows: %s", x.ID, x.Response.Code, x.why))
	}
}
