package reports

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestUnknownFormat(t *testing.T) {
	for _, typed := range []string{"jsn", "JUnit-xml", "md", ""} {
		var b bytes.Buffer
		err := Write(&b, conformant(), typed, Options{})
		if err == nil || b.Len() > 0 {
			t.Fatalf("%q was written", typed)
		}
		if !strings.HasSuffix(err.Error(), "there are text, json, junit, html, markdown, csv, github, badge, intoto, prometheus") {
			t.Errorf("%q: %v", typed, err)
		}
	}
	if FileName("yaml") != "" || FileName("junit") != "junit.xml" {
		t.Errorf("file names: %q, %q", FileName("yaml"), FileName("junit"))
	}
}

// An unwritable output is an error, and output that cannot be rendered is not begun.
func TestWriteFails(t *testing.T) {
	for _, format := range Formats() {
		if err := Write(full{}, conformant(), format, Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: error is %v", format, err)
		}
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// Writers render; they must not change what they were given.
func TestWritersLeaveTheReportAlone(t *testing.T) {
	r := hostile()
	before := render(t, r, "json", Options{})
	for _, format := range Formats() {
		render(t, r, format, Options{Color: true, Verbose: true})
	}
	if !bytes.Equal(before, render(t, r, "json", Options{})) {
		t.Error("the report is another after writing")
	}
}

func TestNext(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Report)
		want   string
	}{
		"reference": {func(*Report) {}, "conform run --sip ADDRESS"},
		"live":      {func(r *Report) { r.Evidence.Kind = "live" }, "conform run --cassette DIR/evidence.yaml"},
		"capture":   {func(r *Report) { r.Evidence.Kind = "capture" }, "asks the server itself, as it is today"},
		"part of a capture": {func(r *Report) {
			r.Evidence.Kind, r.Results[3].Verdict, r.Results[3].Level = "capture", NotExercised, "may"
		}, "which also does the steps"},
		"client": {func(r *Report) { r.Subject = "client" }, "conform client --chaos random"},
		"client not exercised": {func(r *Report) { r.Subject, r.Results[1].Verdict = "client", NotExercised },
			"first set-presence.1.link: have the client do it"},
		"live not exercised": {func(r *Report) { r.Evidence.Kind, r.Results[1].Verdict = "live", NotExercised }, "conform doctor"},
		"fail":               {func(r *Report) { r.Results[1].Verdict = Fail }, "conform explain set-presence.1.link"},
		"hostile id":         {func(r *Report) { r.Results[1].Verdict, r.Results[1].Requirement = Fail, "$(reboot)" }, "conform explain ID"},
		"not exercised":      {func(r *Report) { r.Results[1].Verdict = NotExercised }, "1 of the requirements (must) not exercised, the first set-presence.1.link"},
		"error":              {func(r *Report) { r.Results[1].Verdict = Error }, "(must) with an error, the first set-presence"},
		"blocked":            {func(r *Report) { r.Results[1].Verdict = Blocked }, "conform explain set-presence.1.link"},
		"nothing":            {func(r *Report) { r.Results = nil }, "conform list"},
	} {
		r := conformant()
		test.change(r)
		r.Tally()
		if got := next(r, ""); !strings.Contains(got, test.want) {
			t.Errorf("%s: next is %q, want %q", name, got, test.want)
		}
	}
}

// Where the evidence is, is told if it is known, in a way that can be pasted.
func TestNextKnowsTheDirectory(t *testing.T) {
	r := conformant()
	r.Evidence.Kind = "live"
	for dir, want := range map[string]string{
		"": "DIR/evidence.yaml", ".": " evidence.yaml", "rep": " rep/evidence.yaml", "/var/rep": " /var/rep/evidence.yaml",
		"a b": " DIR/evidence.yaml", "$(reboot)": " DIR/evidence.yaml", "-rf": " DIR/evidence.yaml",
	} {
		if got := next(r, dir); !strings.HasSuffix(got, want) {
			t.Errorf("in %q: next is %q, want %q", dir, got, want)
		}
	}
}

// The limit of the evidence stands beside every outcome, however long the source is.
func TestEvidenceSentenceIsAlwaysThere(t *testing.T) {
	for _, kind := range []string{"live", "reference", "documentation", "capture", "rumour"} {
		r := conformant()
		r.Evidence.Kind = kind
		r.Evidence.Source = strings.Repeat("very long ", 1000)
		_, limit := r.Evidence.words()
		for _, format := range []string{"text", "markdown", "html"} {
			out := string(render(t, r, format, Options{Width: 2000}))
			if !strings.Contains(out, "It "+limit+".") && !strings.Contains(out, "It "+strings.ReplaceAll(limit, "'", "&#39;")+".") && !strings.Contains(out, "; "+limit+"\n") {
				t.Errorf("%s does not say that evidence of kind %s %s", format, kind, limit)
			}
			if strings.Contains(out, strings.Repeat("very long ", 100)) {
				t.Errorf("%s shows all of a very long source", format)
			}
		}
	}
}

// What a refused sign-in asks for stands at the end of its note, behind pseudonyms.
func TestNotesAreShownToTheirEnd(t *testing.T) {
	r := conformant()
	r.Notes = []string{"the sign-in ended here: " + strings.Repeat("host-0123456789.example.invalid ", 20) + "give the URL by hand",
		strings.Repeat("a server's words ", 1000)}
	for _, format := range []string{"text", "markdown", "html"} {
		out := string(render(t, r, format, Options{Width: 2000}))
		if !strings.Contains(out, "give the URL by hand") {
			t.Errorf("%s cuts the end of a note", format)
		}
		if format != "html" && strings.Contains(out, strings.Repeat("a server's words ", 100)) {
			t.Errorf("%s shows all of a very long note", format)
		}
	}
}

// TestASCII holds that a terminal without UTF-8 is sent nothing that it cannot show, in lines that are as long.
func TestASCII(t *testing.T) {
	r := everything()
	r.Results[0].Observed = "会議 – é"
	whole, plain := string(render(t, r, "text", Options{})), string(render(t, r, "text", Options{ASCII: true}))
	if strings.ContainsFunc(plain, func(r rune) bool { return r >= utf8.RuneSelf }) || !strings.Contains(plain, "x fail") || utf8.RuneCountInString(whole) != len(plain) {
		t.Errorf("%s", plain)
	}
}
