package prove

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// fault is a fault with the way to get evidence of it.
type fault struct {
	Fault
	live    bool // on somebody's server
	still   bool // on a recording, without a server
	examine func(context.Context) ([]reports.Result, error)
}

func fixed(list []fault) []Fault {
	faults := make([]Fault, len(list))
	for i, f := range list {
		faults[i] = f.Fault
	}
	return faults
}

// faults returns the whole catalogue with the ways to get evidence. What follows from a check is put on the reference
// recording, if that exercises it; all else is done by a server or a client.
func faults(r *recording) []fault {
	var list []fault
	for _, f := range Faults() {
		examine := func(ctx context.Context) ([]reports.Result, error) { return onServer(ctx, signsIn(f), f.Handler, nil) }
		switch {
		case f.derived != nil && r.passes[f.Requirement]:
			list = append(list, fault{Fault: f, still: true, examine: r.examine(f)})
			continue
		case f.Subject == "client":
			examine = func(ctx context.Context) ([]reports.Result, error) {
				return onClient(ctx, signsIn(f), f.Transport, nil)
			}
		}
		list = append(list, fault{Fault: f, examine: examine})
	}
	return append(list, recordedFaults()...)
}

func signsIn(f Fault) bool { return strings.HasPrefix(f.Requirement, signInTask) }

func tasks(signIn bool) []string {
	if signIn {
		return suite.Tasks()
	}
	return suite.Tasks()[1:] // an application is there
}

// onServer drives the reference server, changed, and judges what was seen.
func onServer(ctx context.Context, signIn bool, change func(http.Handler) http.Handler, list []Variation) ([]reports.Result, error) {
	target, running, err := start(change, list, signIn)
	if err != nil {
		return nil, err
	}
	defer running.Close()
	return suite.Examine(suite.Gather(ctx, target)[0])
}

// onClient lets a client that makes mistakes work on the reference server, and
// judges what a recorder between the two would see of anybody's client: no driver
// and no probes.
func onClient(ctx context.Context, signIn bool, change func(http.RoundTripper) http.RoundTripper, edit func([]cassettes.Exchange) []cassettes.Exchange) ([]reports.Result, error) {
	target, running, err := start(nil, nil, signIn)
	if err != nil {
		return nil, err
	}
	defer running.Close()
	recorder := &cassettes.Recorder{Transport: target.Transport}
	target.Transport, target.Anonymous, target.Restricted = recorder, nil, nil
	if change != nil {
		target.Transport = change(recorder)
	}
	suite.Record(ctx, target)
	exchanges := slices.DeleteFunc(recorder.Exchanges(), func(x cassettes.Exchange) bool {
		return strings.Contains(strings.Join(x.Request.Headers["User-Agent"], ""), "(probe ")
	})
	if edit != nil {
		exchanges = edit(exchanges)
	}
	located, err := suite.Locate(&cassettes.Cassette{Name: "client", Exchanges: numbered(exchanges)}, tasks(signIn)...)
	if err != nil {
		return nil, err
	}
	return suite.Examine(located[0])
}

// A server here tells what it has to tell before the answer to what caused it, and
// with nothing to tell ends a pending GET at once. So no wait needs a clock: a driver
// that waits in vain ends by its number of pending GETs, on a machine of any load.
const (
	eventTimeout = time.Millisecond // of a pending GET with nothing to tell
	patience     = 2 * time.Minute  // for what comes at once
)

// start starts the reference server, changed, with three users.
func start(change func(http.Handler) http.Handler, list []Variation, signIn bool) (suite.Target, *ucwatest.Running, error) {
	config := ucwatest.Config{Host: "lyncweb.contoso.com", Origins: []string{"http://app.contoso.com"}, EventTimeout: eventTimeout}
	if signIn {
		config.SignIn = &ucwatest.SignIn{Users: "https://webdir.contoso.com", Pool: "https://lyncweb.contoso.com"}
		for _, v := range list {
			v.Deploy(config.SignIn)
		}
	}
	s := ucwatest.New(config)
	var h http.Handler = s
	if change != nil {
		h = change(s)
	}
	running, err := ucwatest.StartTLS(h, ucwatest.Options{ErrorLog: log.New(io.Discard, "", 0)}) // plain http is tried too
	if err != nil {
		return suite.Target{}, nil, err
	}
	target := suite.Target{
		Kind: "reference", Transport: running.Client().Transport, WebOrigin: "http://app.contoso.com",
		EventWait: patience, RequestTimeout: patience,
	}
	var parties [3]suite.Party
	for i, u := range []ucwatest.User{
		{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Email: "dana@contoso.com", Password: "Passw0rd-of-Dana"},
		{Name: "Guest", URI: "sip:guest@contoso.com", Anonymous: true},
		{Name: "Lee Gu", URI: "sip:lee@contoso.com", Modalities: []string{"Messaging"}},
	} {
		token := s.AddUser(u)
		if i == 0 && signIn {
			target.SignIn = &ucwa.SignIn{Address: u.URI, Credentials: ucwa.Credentials{Username: u.URI, Password: u.Password}}
			target.ForeignToken = true
			continue
		}
		href, err := s.CreateApplication(token, "conform", "en-US", fmt.Sprintf("3fa85f64-5717-4562-b3fc-2c963f66afa%d", i))
		if err != nil {
			running.Close()
			return suite.Target{}, nil, err
		}
		for _, v := range list {
			href = v.Application(href)
		}
		parties[i] = suite.Party{Application: "https://lyncweb.contoso.com" + href, Token: token}
	}
	target.Application, target.Token = parties[0].Application, parties[0].Token
	target.Anonymous, target.Restricted = &parties[1], &parties[2]
	return target, running, nil
}
