package suite

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// listedSubcodes are those that the API reference lists for a refusal.
type listedSubcodes struct {
	part   string
	status int
	listed []string
}

var subcodes = []listedSubcodes{
	{"presence-get-before", http.StatusConflict, []string{ucwa.SubcodeMakeMeAvailableRequired}},
	{"presence-post-before", http.StatusConflict, []string{ucwa.SubcodeMakeMeAvailableRequired}},
	{"note-get-before", http.StatusConflict, []string{ucwa.SubcodeMakeMeAvailableRequired}},
	{"note-post-before", http.StatusConflict, []string{ucwa.SubcodeMakeMeAvailableRequired}},
	{"location-get-before", http.StatusConflict, []string{ucwa.SubcodeMakeMeAvailableRequired}},
	{"location-post-before", http.StatusConflict, []string{ucwa.SubcodeMakeMeAvailableRequired}},
	{"make-again", http.StatusConflict, []string{ucwa.SubcodeAlreadyExists}},
	{"anonymous", http.StatusForbidden, []string{ucwa.SubcodeAnonymousNotAllowed}},
	{"availability", http.StatusBadRequest, []string{ucwa.SubcodeParameterValidationFailure, ucwa.SubcodeDeserializationFailure}},
	{"not-json", http.StatusBadRequest, []string{ucwa.SubcodeDeserializationFailure, ucwa.SubcodeParameterValidationFailure}},
	{"gone", http.StatusNotFound, []string{ucwa.SubcodeApplicationNotFound}},
}

// refusals certifies what the server must refuse, and the reset, which looks like
// a mistake and is none.
func refusals(t *tree) {
	for _, refusal := range []struct {
		id     string
		status int
	}{
		{"set-presence.refusal.presence-get-before", http.StatusConflict},
		{"set-presence.refusal.presence-post-before", http.StatusConflict},
		{"set-presence.refusal.note-get-before", http.StatusConflict},
		{"set-presence.refusal.note-post-before", http.StatusConflict},
		{"set-presence.refusal.location-get-before", http.StatusConflict},
		{"set-presence.refusal.location-post-before", http.StatusConflict},
		{"set-presence.refusal.make-again", http.StatusConflict},
		{"set-presence.refusal.modality", http.StatusForbidden},
		{"set-presence.refusal.anonymous", http.StatusForbidden},
		{"set-presence.refusal.availability", http.StatusBadRequest},
		{"set-presence.refusal.not-json", http.StatusBadRequest},
		{"set-presence.refusal.media-type", http.StatusUnsupportedMediaType},
		{"set-presence.refusal.method-makeMeAvailable", http.StatusMethodNotAllowed},
		{"set-presence.refusal.method-presence", http.StatusMethodNotAllowed},
		{"set-presence.refusal.gone", http.StatusNotFound},
		{"set-presence.refusal.no-token", http.StatusUnauthorized},
		{"set-presence.refusal.bad-token", http.StatusUnauthorized},
		{"set-presence.refusal.origin", http.StatusForbidden},
	} {
		t.requirement(refusal.id, func(c *check) {
			part := strings.TrimPrefix(refusal.id, "set-presence.refusal.")
			if verdict, reason := c.blockedBy(part); reason != "" {
				c.stop(verdict, reason) // the answer may be for that reason
			}
			for _, a := range c.all(part) {
				c.Expect(a.Status()).To(beOneOf(refusal.status))
			}
		})
	}
	t.requirement("set-presence.refusal.subcode", func(c *check) {
		judged := false
		for _, refusal := range subcodes {
			for _, a := range c.optional(refusal.part) {
				subcode := a.Error("subcode")
				if a.Response.Code != refusal.status || a.Error("code").Absent {
					continue // of which others speak
				}
				if judged = true; subcode.Value == nil || subcode.Value == "" {
					subcode.Absent = true
				}
				if subcode.Absent && refusal.status == http.StatusBadRequest {
					continue // the reference lists none for the operation
				}
				c.Expect(subcode).To(stringThat(strings.Join(refusal.listed, " or ")+", or one that is new", func(s string) bool {
					return slices.Contains(refusal.listed, s) || !slices.ContainsFunc(subcodes, func(other listedSubcodes) bool { return slices.Contains(other.listed, s) })
				}))
			}
		}
		if !judged || len(c.looks) == 0 {
			c.notExercised("the evidence contains no refusal for which a subcode is listed")
		}
	})
	t.requirement("set-presence.refusal.challenge", func(c *check) {
		for _, a := range c.refused(func(status int) bool { return status == http.StatusUnauthorized }) {
			c.Expect(a.Header("WWW-Authenticate")).To(matcher{`MsRtcOAuth href="https://…",grant_type="…"`, func(Field) bool {
				return slices.ContainsFunc(ucwa.ParseChallenges(cassettes.HeaderValues(a.Response.Headers, "WWW-Authenticate")), func(challenge ucwa.Challenge) bool {
					return isTokenChallenge(challenge, a.url)
				})
			}})
		}
	})
	t.requirement("set-presence.refusal.origin-diagnostics", func(c *check) {
		for _, a := range c.all("origin") {
			if a.Response.Code != http.StatusForbidden {
				c.blocked("set-presence.refusal.origin", a.Exchange)
			}
			c.Expect(a.Header("X-Ms-Diagnostics")).To(beText())
		}
	})
	t.requirement("set-presence.refusal.json", func(c *check) {
		for _, a := range c.refused(answeredByUCWA) {
			c.Expect(a.Document()).To(beObject())
			c.expectJSONMedia(a)
			c.Expect(a.Error("code")).To(beText())
		}
	})
	t.requirement("set-presence.refusal.code", func(c *check) {
		judged := false
		for _, a := range c.errors() {
			if !ucwa.HasCode(a.Response.Code) {
				continue // 401, for one, has no name among the codes
			}
			judged = true
			c.Expect(a.Error("code")).To(stringThat(fmt.Sprintf("the code that names %d", a.Response.Code),
				func(s string) bool { return ucwa.CodeStatus(s) == a.Response.Code }))
		}
		if !judged {
			c.notExercised("the evidence holds no UCWA error whose status has a code")
		}
	})
	t.requirement("set-presence.refusal.parameters", func(c *check) {
		for _, a := range c.errors() {
			allowed, words := 0, "absent, or empty"
			if a.Response.Code == http.StatusBadRequest {
				allowed, words = math.MaxInt, "absent, or a list"
			}
			c.Expect(a.Error("parameters")).To(matcher{words, func(f Field) bool {
				list, isList := f.Value.([]any)
				return f.Absent || f.Value == nil || isList && len(list) <= allowed
			}})
		}
	})
	t.requirement("set-presence.refusal.unchanged", func(c *check) { c.readBack(true) })
	t.requirement("set-presence.reset.status", func(c *check) {
		for _, a := range c.all(partReset) {
			c.Expect(a.Status()).To(beOneOf(http.StatusNoContent))
			c.expectNoContent(a)
		}
	})
	t.requirement("set-presence.reset.value", func(c *check) { c.fallsBack() })
}

// Error is a member of the response's body, wherever that stands in a UCWA error.
func (a answer) Error(name string) Field {
	a.whole()
	object, err := a.object()
	value, ok := object[name]
	f := a.field(name, value, ok)
	if err != nil {
		f.Why = "no UCWA error: " + err.Error()
	}
	return f
}

// refused returns the answers whose status is such an error.
func (c *check) refused(isSuch func(status int) bool) []answer {
	var list []answer
	for _, x := range c.Exchanges {
		if x.Failure == "" && !aside(x) && isSuch(x.Response.Code) && (len(x.rels) > 0 || x.Part != "") && !x.is(relToken) && !x.is(relUser) && !x.is(relRoot) {
			list = append(list, answer{x, c})
		}
	}
	if len(list) == 0 {
		c.notExercised("the evidence holds no such error")
	}
	return list
}

// answeredByUCWA: with another status it may be an intermediary or IIS that speaks.
func answeredByUCWA(status int) bool {
	return slices.Contains([]int{400, 404, 405, 409, 415}, status)
}

// errors returns the answers that hold a UCWA error, whatever their status.
func (c *check) errors() []answer {
	list := c.refused(func(status int) bool { return status >= 400 })
	list = slices.DeleteFunc(list, func(a answer) bool { return a.Error("code").Absent })
	if len(list) == 0 {
		c.notExercised("the evidence holds no UCWA error")
	}
	return list
}

// isTokenChallenge: it tells where and how to get a token, and not over a
// weaker channel than the request's.
func isTokenChallenge(c ucwa.Challenge, asked *url.URL) bool {
	href, err := url.Parse(c.Params["href"])
	return strings.EqualFold(c.Scheme, "MsRtcOAuth") && c.Params["grant_type"] != "" &&
		err == nil && href.Host != "" && (href.Scheme == "https" || href.Scheme == asked.Scheme && href.Scheme == "http")
}

// fallsBack compares what is read after a reset with what was set before it.
func (c *check) fallsBack() {
	judged := false
	settings := c.settings()
	for _, reset := range c.all(partReset) {
		c.success(reset, "set-presence.reset.status")
		var set *setting
		for i := range settings {
			if settings[i].ID < reset.ID {
				set = &settings[i]
			}
		}
		if set == nil || set.value == set.before {
			continue
		}
		for _, a := range c.optional(partRead) {
			if a.ID < reset.ID || !c.Driven && (!c.isRead(a.Exchange, reset.Exchange) || c.between(reset.ID, a.ID, partUnread) || c.changedUnseen(reset.ID, a.ID)) ||
				slices.ContainsFunc(settings, func(s setting) bool { return s.ID > reset.ID && s.ID < a.ID }) {
				continue
			}
			read := a.JSON("availability")
			if read.Absent {
				c.blocked("set-presence.6.availability", a.Exchange)
			}
			if read.Value == set.value && !onlySet(set.value) {
				continue // perhaps it is what the server computes
			}
			judged = true
			c.Expect(read).To(satisfy("another value than "+set.value+", which was set before the reset",
				func(v any) bool { return v != set.value }))
			if !c.Driven {
				break // later somebody else may have set it
			}
		}
	}
	if !judged {
		c.notExercised("the evidence holds no GET on presence after the reset of a value that a server would not compute")
	}
}

// onlySet reports whether a presence is only ever set by people: the others a
// server computes from calendar and activity.
func onlySet(value string) bool {
	return value == string(ucwa.PreferBeRightBack) || value == string(ucwa.PreferDoNotDisturb)
}
