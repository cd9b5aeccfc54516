package suite_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// What the specs judge, behind the flags of Ginkgo: ginkgo ./suite -- --cassette FILE
var (
	cassette    = flag.String("cassette", "", "judge this go-vcr cassette, in place of the recordings that come with conform")
	application = flag.String("application", "", "judge this live application, whose token is in CONFORM_TOKEN")
	sip         = flag.String("sip", "", "judge the live server of this SIP address, whose password is in CONFORM_PASSWORD")
	discover    = flag.String("autodiscover", "", "with -sip: the Autodiscover root to begin at, if not where the address leads")
	keepNames   = flag.Bool("keep-names", false, "of a live server, show hosts, people and addresses in place of pseudonyms")
)

// asked says that it is the specs that somebody wants to run.
var asked bool

// TestMain runs the specs alone where Ginkgo's flags or those above are given: all else in this package tests the suite itself.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Visit(func(f *flag.Flag) {
		if strings.HasPrefix(f.Name, "ginkgo.") || f.Name == "cassette" || f.Name == "application" || f.Name == "sip" || f.Name == "autodiscover" {
			asked = true
			if flag.Lookup("test.run").Value.String() == "" {
				_ = flag.Set("test.run", "^TestConformance$")
			}
		}
	})
	os.Exit(m.Run())
}

// TestConformance is the suite as Ginkgo runs it: a Describe a page, a Context a step, an It a requirement.
func TestConformance(t *testing.T) {
	if !asked && suite.OwnProcess(t) { // beside other tests that run Ginkgo, which runs once in a process
		return
	}
	gomega.RegisterFailHandler(ginkgo.Fail)
	var evidence []*suite.Evidence
	// The first process gathers the evidence, and signs in if that is asked for; the others are handed the recording.
	if *cassette != "" && (*application != "" || *sip != "") || *application != "" && *sip != "" || *discover != "" && *sip == "" {
		t.Fatal("give one of -cassette, -application and -sip; -autodiscover goes with -sip")
	}
	ginkgo.SynchronizedBeforeSuite(gather, func(recording []byte) { evidence = read(recording) })
	suite.Specs(func() []*suite.Evidence { return evidence })
	ginkgo.RunSpecs(t, "conform")
}

// gather returns the recording of a live run, or nothing where none is asked for.
func gather(ctx context.Context) []byte {
	target := suite.Target{Application: *application, Token: os.Getenv("CONFORM_TOKEN"), KeepNames: *keepNames}
	switch {
	case *sip != "":
		target.SignIn = &ucwa.SignIn{Address: *sip, Start: *discover, Plain: strings.HasPrefix(*discover, "http:"),
			Credentials: ucwa.Credentials{Username: *sip, Password: os.Getenv("CONFORM_PASSWORD")}}
	case *application == "":
		return nil
	}
	gathered := suite.Gather(ctx, target)[0]
	for _, note := range gathered.Notes {
		fmt.Fprintln(os.Stderr, "note:", reports.Legible(note))
	}
	if len(gathered.Exchanges) == 0 {
		ginkgo.Fail("nothing was asked: " + strings.Join(gathered.Notes, "; "))
	}
	recording, err := gathered.Recording.Encode()
	if err != nil {
		ginkgo.Fail(err.Error())
	}
	return recording
}

// read returns the evidence of the recording of a live run, of a cassette that is asked for, or of the one that comes with
// conform.
func read(recording []byte) []*suite.Evidence {
	c, err := cassettes.Read("live", bytes.NewReader(recording))
	if recording != nil && err == nil {
		c.Name = c.Provenance.Source
	}
	if recording == nil {
		name := cmp.Or(*cassette, "reference/set-presence")
		if above := filepath.Join("..", name); !filepath.IsAbs(name) && exists(above) && !exists(name) {
			name = above // go test and ginkgo run this in the directory of the package, and the name was given above it
		}
		c, err = cassettes.Open(name)
	}
	if err != nil {
		ginkgo.Fail(err.Error())
	}
	evidence, err := suite.Locate(c)
	if err != nil {
		ginkgo.Fail(err.Error())
	}
	for _, e := range evidence {
		if recording != nil {
			e.Kind = "live" // it came from here, and from no file
		}
	}
	if suiteConfig, _ := ginkgo.GinkgoConfiguration(); suiteConfig.ParallelProcess == 1 {
		for _, e := range evidence {
			fmt.Fprintf(os.Stderr, "evidence: %s (%s)\n", reports.Legible(e.Source), e.Kind)
		}
	}
	return evidence
}

func exists(file string) bool { _, err := os.Stat(file); return err == nil }
