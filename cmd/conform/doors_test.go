package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/capture"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// throughDoor runs a test for each fault of clients in the catalogue: it says which
// requirements failed, and how the client ended.
func throughDoor(t *testing.T, door func(t *testing.T, f prove.Fault) (failed []string, ended string)) {
	for _, f := range prove.Faults() {
		task, _, _ := strings.Cut(f.Requirement, ".")
		if f.Subject != "client" || task != "create-application" && task != "set-presence" { // the client of these tests does nothing else
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			if failed, ended := door(t, f); !slices.Contains(failed, f.Requirement) {
				t.Errorf("%s: expected %s to fail; failed: %v; the client ended with: %s", f.Breaks, f.Requirement, failed, ended)
			}
		})
	}
}

// faultyAt starts a host, and returns it with a client of its that has a fault. What the
// fault lets through goes by way.
func faultyAt(t *testing.T, f prove.Fault, way func(*testHost) http.RoundTripper) (*testHost, plainClient) {
	signsIn := strings.HasPrefix(f.Requirement, "create-application.")
	h := startHost(t, func(config *hostConfig) {
		if signsIn {
			wayOf(config)
		}
	})
	p := plainClient{transport: f.Transport(way(h)), user: builtIn, agent: "Plain/1.0"}
	if !signsIn {
		h.given(t, &p)
	}
	return h, p
}

// TestCheckClientFaults: every fault of a client in the catalogue is found in a capture of
// its traffic, as conform check reads it, at its requirement.
func TestCheckClientFaults(t *testing.T) {
	throughDoor(t, func(t *testing.T, f prove.Fault) ([]string, string) {
		recorder := &cassettes.Recorder{}
		_, p := faultyAt(t, f, func(h *testHost) http.RoundTripper {
			recorder.Transport = h.transport(t)
			return recorder
		})
		ended := p.work(t.Context())
		read, err := capture.Read("session.har", bytes.NewReader(asHAR(&cassettes.Cassette{Exchanges: recorder.Exchanges()})))
		if err != nil {
			t.Fatal(err)
		}
		list, err := new(checkFlags).locate(t.Context(), read, masker(nil, false))
		if err != nil {
			t.Fatal(err)
		}
		var failed []string
		for _, e := range list {
			results, err := suite.Examine(e)
			if err != nil {
				t.Fatal(err)
			}
			failed = append(failed, failedIn(results)...)
		}
		return failed, fmt.Sprint(ended)
	})
}

// cannotSignIn are the faults with which a client does not get its token: conform client
// has nobody to grade then, and certifies nobody. The other doors find what it did.
var cannotSignIn = []string{"set-presence.request.accept/accept-html", "set-presence.request.accept/accept-unwanted", "set-presence.request.host/host-other"}

// TestClientFaults: every fault of a client in the catalogue is found by conform client,
// which runs it as a command, at its requirement. But one: conform client tells its command
// where Autodiscover is, so that none asks for the external address first.
func TestClientFaults(t *testing.T) {
	slow(t)
	throughDoor(t, func(t *testing.T, f prove.Fault) ([]string, string) {
		if f.Name == "create-application.1.order/external-first" {
			t.Skip("conform client tells where Autodiscover is")
		}
		cmd := exec.CommandContext(t.Context(), "conform", "client", "--plain", "--origin", "http://app.contoso.com", "--event-timeout", "1ms",
			"--format", "json", "--", "faultyclient", f.Name)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		output, _ := cmd.Output() // whatever came of it, there is a report
		if slices.Contains(cannotSignIn, f.Name) {
			if code := cmd.ProcessState.ExitCode(); code != exitIncomplete || len(output) > 0 {
				t.Errorf("exit code %d, expected %d and no report", code, exitIncomplete)
			}
			return []string{f.Requirement}, ""
		}
		var failed []string
		for decoder := json.NewDecoder(bytes.NewReader(output)); decoder.More(); {
			var r reports.Report
			if err := decoder.Decode(&r); err != nil {
				t.Fatalf("%v\n%s", err, stderr.String())
			}
			failed = append(failed, failedIn(r.Results)...)
		}
		return failed, stderr.String()
	})
}

// faultyClient is a program that makes the mistake of that name, or none without: it finds
// the server in its environment. The hosts that only a fault knows lead to the pool.
func faultyClient() {
	pool, err := url.Parse(os.Getenv("CONFORM_APPLICATIONS_URL"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var transport http.RoundTripper = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, "elsewhere.example:") || strings.HasPrefix(address, "lyncweb.contoso.com:") {
			address = pool.Host
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	if len(os.Args) > 1 {
		fault, _ := prove.FaultNamed(os.Args[1])
		transport = fault.Transport(transport)
	}
	p := plainClient{transport: transport, agent: "Faulty/1.0", start: os.Getenv("CONFORM_AUTODISCOVER_URL"),
		user: ucwatest.User{URI: os.Getenv("CONFORM_SIP"), Password: os.Getenv("CONFORM_PASSWORD")}}
	if err := p.work(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
