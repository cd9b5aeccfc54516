package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// for-each-format REPORT: holds that convert shows a report as run shows it, in every format.
func forEachFormat(ts *testscript.TestScript, _ bool, args []string) {
	r, _, err := reports.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, format := range reports.Formats() {
		ts.Check(ts.Exec("conform", "run", "--format", format))
		ran := ts.ReadFile("stdout")
		ts.Check(ts.Exec("conform", "report", "convert", args[0], "--format", format))
		if converted := ts.ReadFile("stdout"); ran != converted || ran == "" {
			ts.Fatalf("%s of the run and of its file differ: %d and %d bytes", format, len(ran), len(converted))
		}
		var b bytes.Buffer
		ts.Check(reports.Write(&b, r, format, reports.Options{}))
		if b.String() != ran {
			ts.Fatalf("%s of the package and of the command differ", format)
		}
	}
}

// conforms-to comparison|matrix FILE: validates what is made of several reports.
func conformsTo(ts *testscript.TestScript, _ bool, args []string) {
	meets(ts, args[1], map[string][]byte{"comparison": reports.ComparisonSchema(), "matrix": reports.MatrixSchema()}[args[0]])
}

// attests STATEMENT REPORT EVIDENCE: holds that an attestation is bound to both, by their hashes.
func attests(ts *testscript.TestScript, _ bool, args []string) {
	var statement struct {
		Subject []struct {
			Name   string
			Digest map[string]string
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &statement))
	sum := sha256.Sum256([]byte(ts.ReadFile(args[1])))
	c, err := cassettes.Open(ts.MkAbs(args[2]))
	ts.Check(err)
	want := []string{hex.EncodeToString(sum[:]), c.SHA256}
	for i, hash := range want {
		if len(statement.Subject) != 2 || statement.Subject[i].Digest["sha256"] != hash {
			ts.Fatalf("the subjects are %v, expected sha256 %v", statement.Subject, want)
		}
	}
}
