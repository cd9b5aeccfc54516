package main

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestServeWhereItListens: by the name that is printed nobody else is reached.
func TestServeWhereItListens(t *testing.T) {
	plain := true
	open := func(listen string) (name string, listeners []net.Listener) {
		t.Helper()
		f := placeFlags{listen: listen, plain: &plain}
		listeners, name, err := f.open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			for _, l := range listeners {
				l.Close()
			}
		})
		if want := "http://" + net.JoinHostPort(name, f.port) + "/Autodiscover/AutodiscoverService.svc/root"; f.begin(name) != want {
			t.Errorf("--listen %s: clients begin at %s, want %s", listen, f.begin(name), want)
		}
		return name, listeners
	}
	for listen, want := range map[string]string{"127.0.0.1:0": "localhost", ":0": "localhost", "0.0.0.0:0": "localhost", "127.0.0.2:0": "127.0.0.2"} {
		if got, _ := open(listen); got != want {
			t.Errorf("--listen %s: %s, want %s", listen, got, want)
		}
	}
	other, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return // without IPv6 localhost leads nowhere else
	}
	defer other.Close()
	_, port, _ := net.SplitHostPort(other.Addr().String())
	if got, listeners := open("127.0.0.1:" + port); got != "127.0.0.1" || len(listeners) != 1 {
		t.Errorf("%s, %d listeners, though another is at ::1", got, len(listeners))
	}
}

// TestServeSummary: a line a client, and one of what it failed first.
func TestServeSummary(t *testing.T) {
	failed := &reports.Report{Outcome: reports.Nonconformant, Counts: reports.Counts{Pass: 1, Fail: 5}}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		failed.Results = append(failed.Results, reports.Result{Requirement: id, Verdict: reports.Fail}, reports.Result{Requirement: "x", Verdict: reports.Pass})
	}
	var b bytes.Buffer
	clients := []*client{{Number: 1, User: "sip:dana@contoso.com", ID: "101"}, {Number: 2, User: "sip:lee@contoso.com", ID: "102"}}
	if err := summarize(&b, clients, []*reports.Report{failed, {Outcome: reports.Conformant, Counts: reports.Counts{Pass: 2}}}); err != nil {
		t.Fatal(err)
	}
	const want = `2 clients
    1  dana …101                     nonconformant  1 pass, 5 fail
       ✗ a, b, c, and 2 more
    2  lee …102                      conformant     2 pass
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

// TestServeKnowsPathsInAnyCasing: what is asked belongs to its application, and is told in words.
func TestServeKnowsPathsInAnyCasing(t *testing.T) {
	for path, want := range map[string]string{
		"/": "Autodiscover",
		"/autodiscover/autodiscoverservice.svc/Root":            "Autodiscover",
		"/Autodiscover/AutodiscoverService.svc/root/user":       "user resource",
		"/Autodiscover/AutodiscoverService.svc/root/OAuth/User": "user resource",
		"/webticket/oauthtoken":                                 "token",
		"/xframe":                                               "cross-domain frame",
		"/UCWA/OAuth/v1/Applications":                           "applications: create one",
		"/UCWA/OAuth/v1/Applications/101":                       "101: application",
		"/ucwa/oauth/v1/applications/101/me/note":               "101: note",
	} {
		id, _ := applicationIn(path)
		if got := strings.TrimPrefix(id+": "+resourceAt("GET", "https://127.0.0.1"+path), ": "); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}
