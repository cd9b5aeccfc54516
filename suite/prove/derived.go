package prove

import (
	"context"
	"net/http"
	"slices"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// recording is the reference recording, on which faults that follow from the checks and small changes are tried.
type recording struct {
	sound    *suite.Evidence
	variants func([]cassettes.Exchange) ([]*suite.Evidence, error)
	passes   map[string]bool
}

func openRecording() (*recording, error) {
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		return nil, err
	}
	located, err := suite.Locate(c)
	if err != nil {
		return nil, err
	}
	results, err := suite.Examine(located[0])
	if err != nil {
		return nil, err
	}
	r := &recording{located[0], located[0].Variants(), map[string]bool{}}
	for _, result := range results {
		r.passes[result.Requirement] = result.Verdict == reports.Pass
	}
	return r, nil
}

// judge judges what the recording has become.
func (r *recording) judge(changed []cassettes.Exchange) ([]reports.Result, error) {
	located, err := r.variants(changed)
	if err != nil {
		return nil, err
	}
	return suite.Examine(located[0])
}

// examine judges the recording with a fault on it.
func (r *recording) examine(f Fault) func(context.Context) ([]reports.Result, error) {
	return func(context.Context) ([]reports.Result, error) {
		changed := slices.Clone(r.sound.Recording.Exchanges)
		for i, x := range r.sound.Exchanges {
			if slices.Contains(f.on, x.Part) {
				changed[i] = clone(changed[i])
				f.derived.Edit(changed[i].Interaction)
			}
		}
		return r.judge(changed)
	}
}

// fromDerived is a derived fault as a proxy can put it on answers.
func fromDerived(f suite.Fault) Fault {
	fault := Fault{Name: f.Name, Subject: f.Subject, Breaks: f.Does(), Requirement: f.Requirement, Field: f.Field, derived: &f, on: f.Roles}
	if f.Subject == "client" {
		fault.ask = func(x *exchange) {
			seen := recorded(x.request, x.sent)
			f.Edit(seen.Interaction)
			x.request.Header, x.sent = seen.Request.Headers, []byte(seen.Request.Body)
		}
		return fault
	}
	fault.edit = func(x *exchange) {
		seen := recorded(x.request, x.sent)
		seen.Response.Code, seen.Response.Headers, seen.Response.Body = x.status, x.header.Clone(), string(x.body)
		f.Edit(seen.Interaction)
		for name := range x.header {
			if seen.Response.Headers[name] == nil {
				seen.Response.Headers[name] = nil // net/http adds no Date or Content-Type of its own then
			}
		}
		x.status, x.header, x.body = seen.Response.Code, seen.Response.Headers, []byte(seen.Response.Body)
		if length := x.header.Get("Content-Length"); x.status == http.StatusNoContent && length == "2" {
			x.body, x.hidden = []byte("{}"), true
		}
	}
	return fault
}
