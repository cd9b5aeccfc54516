package suite

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// minLost is how many answers in a row, up to the last, say that the run has lost its
// token or its application. Fewer can be the mistake of the server for a resource or two.
const minLost = 3

// findLoss finds the exchange from which on the server took a driver's token for none,
// or its application for gone, to the very end and after it had accepted both. Tokens
// expire, and administrators restart servers: what was asked then says nothing of how
// the server does what it was asked for.
func (e *Evidence) findLoss() {
	if !e.Driven {
		return
	}
	var own []*Exchange
	for _, x := range e.Exchanges {
		cleaned := x.succeeded() && slices.Contains(cleaning, x.Probe) // with another token
		if x.Failure == "" && e.concerned(x) && !cleaned {
			own = append(own, x)
		}
	}
	first := len(own)
	for first > 0 && lostIn(own[first-1]) && own[first-1].Response.Code == own[len(own)-1].Response.Code {
		first--
	}
	lost := own[first:]
	if len(lost) >= minLost && slices.ContainsFunc(lost, func(x *Exchange) bool { return x.Probe == "" }) &&
		slices.ContainsFunc(own[:first], (*Exchange).succeeded) {
		if x := e.freshRefused(lost[0]); x != nil {
			e.note(fmt.Sprintf("the token was refused from exchange %d on, and so was a fresh one in exchange %d: it is the server that refuses, and what it answers is judged", lost[0].ID, x.ID))
			return
		}
		e.lost = lost[0]
		e.note(e.lossNote())
	}
}

// freshRefused returns an exchange in which the server refused a token that it had issued
// after it refused the first: that one had not expired, nor been revoked. nil if there is
// none, as where the run was given its token.
func (e *Evidence) freshRefused(lost *Exchange) *Exchange {
	if lost.Response.Code != http.StatusUnauthorized {
		return nil
	}
	fresh := map[string]bool{}
	for _, x := range e.Exchanges {
		switch {
		case x.ID < lost.ID:
		case x.is(relToken) && x.succeeded():
			object, _ := x.object()
			token, _ := object["access_token"].(string)
			fresh[token] = token != ""
		case e.concerned(x) && fresh[bearerOf(x.Exchange)]:
			if x.Response.Code == http.StatusUnauthorized {
				return x
			}
			fresh = map[string]bool{} // it is good
		}
	}
	return nil
}

// lostIn: the answer is that of a server which does not know who asks, or for what.
func lostIn(x *Exchange) bool {
	return x.Response.Code == http.StatusUnauthorized || x.Response.Code == http.StatusNotFound && subcodeOf(x) == ucwa.SubcodeApplicationNotFound
}

// concerned: x asks for the application of the run with its token.
func (e *Evidence) concerned(x *Exchange) bool {
	return e.own(x.url) && x.Probe != partNoToken && x.Probe != partBadToken
}

// isLost reports whether x came after the loss.
func (e *Evidence) isLost(x *Exchange) bool {
	return e.lost != nil && x.ID >= e.lost.ID && e.concerned(x)
}

// lossNote says what was lost, and what to do.
func (e *Evidence) lossNote() string {
	if e.lost.Response.Code == http.StatusUnauthorized {
		return fmt.Sprintf("the token was refused from exchange %d on, and accepted before: it has expired or was revoked; run again with a new one", e.lost.ID)
	}
	return fmt.Sprintf("the server did not know the application any more from exchange %d on: it was ended while the run was under way, by an administrator, a restart or another client; run again with a new one", e.lost.ID)
}
