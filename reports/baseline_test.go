package reports

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadBaselineRefuses(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"nothing":        {"", "is empty"},
		"no YAML":        {"known: [", "is no baseline"},
		"a list":         {"- requirement: a\n", "is no baseline"},
		"unknown key":    {"know: []\n", "unknown key know;"},
		"unknown field":  {"known:\n- requirement: a\n  reasn: b\n", `line 3: "reasn" is not known here`},
		"no requirement": {"known:\n- reason: b\n", "known.yaml:2: an entry names no requirement"},
		"no reason":      {"known:\n- requirement: a\n", "known.yaml:2: a has no reason yet"},
		"blank reason":   {"known:\n- requirement: a\n  reason: ' '\n", "a has no reason yet"},
		"TODO":           {"known:\n- requirement: a\n  reason: TODO\n", "a has no reason yet"},
		"todo: ask":      {"known:\n- requirement: a\n  reason: 'todo: ask'\n", "a has no reason yet"},
		"no date":        {"known:\n- requirement: a\n  reason: b\n  until: soon\n", `until "soon" is no date: write it as 2026-12-31`},
		"a day too many": {"known:\n- requirement: a\n  reason: b\n  until: 2026-02-30\n", `until "2026-02-30" is no date`},
		"twice":          {"known:\n- requirement: a\n  reason: b\n- requirement: a\n  reason: c\n", "known.yaml:4: a is in line 2 already"},
		"nested":         {"known:\n- requirement: [a]\n  reason: b\n", "requirement is expected to be text"},
		"text":           {"known:\n- a\n", "expected an entry"},
		"two documents":  {"known: []\n---\nknown: []\n", "more than one document"},
		"large":          {"known: []\n#" + strings.Repeat("x", 1<<20), "larger than 1024 KiB"},
	} {
		_, err := ReadBaseline("known.yaml", strings.NewReader(test.in))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "known.yaml") {
			t.Errorf("%s: error is %v, want %q", name, err, test.want)
		}
	}
	b, err := ReadBaseline("known.yaml", strings.NewReader("known:\n- requirement: a\n  reason: b\n  target: x\n- requirement: a\n  reason: c\n  target: y\n"))
	if err != nil || len(b.Known) != 2 {
		t.Errorf("two targets: %v, %v", b, err)
	}
}

func TestBaselineApplies(t *testing.T) {
	const id = "set-presence.1.status"
	may := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		verdict Verdict
		level   string
		strict  bool
		entry   string
		now     time.Time
		outcome Outcome
		known   bool
		stale   string
	}{
		"known":                  {verdict: Fail, entry: "reason: r", outcome: Excused, known: true},
		"passes":                 {verdict: Pass, entry: "reason: r", outcome: Conformant, stale: "it passes now"},
		"not exercised":          {verdict: NotExercised, entry: "reason: r", outcome: Incomplete, stale: "it was not judged (not exercised)"},
		"not applicable":         {verdict: NotApplicable, entry: "reason: r", outcome: Conformant, stale: "it was not judged (not applicable)"},
		"blocked":                {verdict: Blocked, entry: "reason: r", outcome: Incomplete, stale: "it was not judged (blocked)"},
		"error":                  {verdict: Error, entry: "reason: r", outcome: Incomplete, stale: "it was not judged (error)"},
		"last day":               {verdict: Fail, entry: "reason: r\n  until: 2026-05-01", now: may.Add(24*time.Hour - 1), outcome: Excused, known: true},
		"the day after":          {verdict: Fail, entry: "reason: r\n  until: 2026-05-01", now: may.Add(24 * time.Hour), outcome: Nonconformant, stale: "it was accepted until 2026-05-01"},
		"last day, far west":     {verdict: Fail, entry: "reason: r\n  until: 2026-05-01", now: may.Add(23 * time.Hour).In(time.FixedZone("", -8*3600)), outcome: Excused, known: true},
		"past, and passes":       {verdict: Pass, entry: "reason: r\n  until: 2020-01-01", outcome: Conformant, stale: "it passes now"},
		"this target":            {verdict: Fail, entry: "reason: r\n  target: reference/*", outcome: Excused, known: true},
		"another target":         {verdict: Fail, entry: "reason: r\n  target: https://*", outcome: Nonconformant},
		"target by its name":     {verdict: Fail, entry: "reason: r\n  target: 'sip:*@contoso.com'", outcome: Excused, known: true},
		"a part is not all":      {verdict: Fail, entry: "reason: r\n  target: reference", outcome: Nonconformant},
		"an end is not all":      {verdict: Fail, entry: "reason: r\n  target: set-presence", outcome: Nonconformant},
		"the day after, in UTC":  {verdict: Fail, entry: "reason: r\n  until: 2026-05-01", now: may.Add(24 * time.Hour).In(time.FixedZone("", -8*3600)), outcome: Nonconformant, stale: "it was accepted until 2026-05-01"},
		"a dot is a dot":         {verdict: Fail, entry: "reason: r\n  target: 'sip:dana@contoso?com'", outcome: Nonconformant},
		"should":                 {verdict: Warn, level: "should", entry: "reason: r", outcome: Conformant, known: true},
		"should, strict":         {verdict: Warn, level: "should", strict: true, entry: "reason: r", outcome: Excused, known: true},
		"should, strict, passes": {verdict: Pass, level: "should", strict: true, entry: "reason: r", outcome: Conformant, stale: "it passes now"},
	} {
		r := conformant()
		r.Strict = test.strict
		r.Results[0].Verdict = test.verdict
		if test.level != "" {
			r.Results[0].Level = test.level
		}
		r.Tally()
		before := r.Counts
		b, err := ReadBaseline("known.yaml", strings.NewReader("known:\n- requirement: "+id+"\n  "+test.entry+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if test.now.IsZero() {
			test.now = may
		}
		b.Apply(r, test.now, "", "sip:dana@contoso.com")
		if r.Outcome != test.outcome || (r.Results[0].Known != nil) != test.known || r.Counts != before || r.Results[0].Verdict != test.verdict {
			t.Errorf("%s: %s, known %v, %s", name, r.Outcome, r.Results[0].Known, r.Counts)
		}
		stale := ""
		if len(r.Baseline.Stale) > 0 {
			stale = r.Baseline.Stale[0].Problem
		}
		if (test.stale == "") != (stale == "") || !strings.HasPrefix(stale, test.stale) {
			t.Errorf("%s: stale is %q, want %q", name, stale, test.stale)
		}
		again, err := Read(bytes.NewReader(render(t, r, "json", Options{})))
		if err != nil || again.Outcome != r.Outcome {
			t.Errorf("%s: read again: %v", name, err)
		}
		for _, format := range Formats() {
			out := string(render(t, r, format, Options{Width: 1000}))
			if said := strings.Contains(out, "conformant with 1 known failure"); said != (test.outcome == Excused) && !slices.Contains([]string{"json", "csv", "intoto", "prometheus"}, format) {
				t.Errorf("%s: %s says that a failure is known: %t", name, format, said)
			}
		}
	}
}

// A known failure excuses no other, and no gap.
func TestBaselineExcusesNothingElse(t *testing.T) {
	r := everything()
	apply(r, "known:\n- requirement: set-presence.1.status\n  reason: r\n")
	if r.Outcome != Incomplete { // others were blocked and in error
		t.Errorf("with gaps: %s", r.Outcome)
	}
	r = known()
	r.Results[1].Verdict = Fail
	r.Tally()
	if r.Outcome != Nonconformant {
		t.Errorf("with another failure: %s", r.Outcome)
	}
	r = conformant()
	r.Results[0].Verdict = Fail
	r.Tally()
	r.Outcome = Incomplete // as that of an interrupted run
	apply(r, "known:\n- requirement: set-presence.1.status\n  reason: r\n")
	if r.Outcome != Incomplete {
		t.Errorf("an interrupted run became %s", r.Outcome)
	}
}

// A report that claims to be excused must show why.
func TestReadRefusesFalseExcuses(t *testing.T) {
	good := string(render(t, known(), "json", Options{}))
	for name, test := range map[string]struct{ from, to, want string }{
		"conformant, with a known failure": {`"outcome": "excused"`, `"outcome": "conformant"`, "claims to be conformant, and its results make it excused"},
		"a pass that is known":             {`"verdict": "fail"`, `"verdict": "pass"`, "is a known failure, and its verdict is pass"},
		"a failure nobody knows":           {`"known": {`, `"known": null, "x": {`, "unknown field"},
	} {
		in := strings.Replace(good, test.from, test.to, 1)
		if in == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := Read(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", name, err, test.want)
		}
	}
	r := known()
	r.Results[0].Known = nil
	if _, err := Read(bytes.NewReader(render(t, r, "json", Options{}))); err == nil || !strings.Contains(err.Error(), "claims to be excused, and its results make it nonconformant") {
		t.Errorf("an excuse without a known failure: %v", err)
	}
}

// What is written is refused until it has reasons, and then excuses what it was made of.
func TestWriteBaseline(t *testing.T) {
	for name, r := range map[string]*Report{"everything": everything(), "hostile": hostile(), "strict": func() *Report { r := everything(); r.Strict = true; r.Tally(); return r }()} {
		var b bytes.Buffer
		n, err := WriteBaseline(&b, r)
		if err != nil {
			t.Fatal(err)
		}
		if name == "hostile" {
			if strings.ContainsAny(b.String(), "\x1b\x07\u202e") {
				t.Error("hostile: a terminal acts on it")
			}
			continue
		}
		if _, err := ReadBaseline("known.yaml", bytes.NewReader(b.Bytes())); err == nil || !strings.Contains(err.Error(), "no reason yet") {
			t.Errorf("%s: without reasons: %v", name, err)
		}
		read, err := ReadBaseline("known.yaml", strings.NewReader(strings.ReplaceAll(b.String(), "reason: TODO", "reason: UC-1")))
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		read.Apply(r, time.Now())
		if len(r.Baseline.Stale) > 0 || len(r.knownFailures()) != n || n == 0 {
			t.Errorf("%s: %d entries, %d known, stale %v", name, n, len(r.knownFailures()), r.Baseline.Stale)
		}
		var again bytes.Buffer
		if _, err := WriteBaseline(&again, r); err != nil || strings.Contains(again.String(), "reason: TODO") || !strings.Contains(again.String(), "UC-1") {
			t.Errorf("%s: reasons are not kept: %v\n%s", name, err, again.String())
		}
	}
	var b bytes.Buffer
	n, err := WriteBaseline(&b, conformant())
	read, readErr := ReadBaseline("x", bytes.NewReader(b.Bytes()))
	if n != 0 || err != nil || readErr != nil || len(read.Known) != 0 {
		t.Errorf("of nothing: %d, %v, %v\n%s", n, err, readErr, b.String())
	}
}

// What is accepted applies, and marks nothing but failures.
func FuzzReadBaseline(f *testing.F) {
	f.Add([]byte("known:\n- requirement: set-presence.1.status\n  reason: r\n  until: 2026-05-01\n  target: 'a*'\n"))
	f.Add([]byte("known: []\n"))
	f.Add([]byte("a: &a [x]\nknown: [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ReadBaseline("known.yaml", bytes.NewReader(data))
		if err != nil {
			return
		}
		r := everything()
		b.Apply(r, time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
		again, err := Read(bytes.NewReader(render(t, r, "json", Options{})))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.Counts, again.Counts); diff != "" {
			t.Error(diff)
		}
	})
}
