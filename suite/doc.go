// Package suite certifies UCWA servers and clients against Microsoft's
// documentation. It holds, for every certified document, a ledger (what the
// document asks, sentence by sentence), a driver (which does the documented steps)
// and Ginkgo specs (which judge what was seen).
//
// A run has two halves. Gathering makes [Evidence], a list of exchanges, in one
// of three ways: [Gather] drives a live server, [Replay] drives a recording that
// the driver made, [Locate] finds the steps in traffic that others made. [Judge]
// then runs the specs, which look at the evidence and at nothing else: a live run
// judged today and its recording judged next year give the same verdicts.
//
// Whoever writes a UCWA server in Go certifies it in a test of their own:
//
//	func TestConformance(t *testing.T) {
//		server := startMyServer(t)
//		suite.Certify(t, suite.Target{Application: server.Application, Token: server.Token, Transport: server.Transport})
//	}
package suite

//go:generate go test -run ^TestReferenceRecording$ . -update
