package suite

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// specIDs are the ids for which a task has specs, in their order.
func specIDs(task string) []string {
	var ids []string
	tasks[task].specs(&tree{
		step:        func(_ string, body func()) { body() },
		requirement: func(id string, _ func(*check)) { ids = append(ids, id) },
	})
	return ids
}

// TestLedgerAndSpecs holds that every requirement has exactly one spec and every
// spec a requirement.
func TestLedgerAndSpecs(t *testing.T) {
	for _, l := range Ledgers() {
		specs := map[string]int{}
		for _, id := range specIDs(l.Task) {
			specs[id]++
		}
		seen := map[string]bool{}
		for _, r := range l.Requirements {
			if seen[r.ID] {
				t.Errorf("%s: the id occurs twice in the ledger", r.ID)
			}
			seen[r.ID] = true
			if n := specs[r.ID]; n != 1 {
				t.Errorf("%s: %d specs, expected one", r.ID, n)
			}
			if !strings.HasPrefix(r.ID, l.Task+".") {
				t.Errorf("%s: expected an id that begins with its task, %s", r.ID, l.Task)
			}
			if !slices.Contains([]string{"must", "should", "may"}, r.Level) || !slices.Contains([]string{"server", "client"}, r.Subject) {
				t.Errorf("%s: level %q, subject %q", r.ID, r.Level, r.Subject)
			}
			if r.Says == "" || r.How == "" || r.Breaks == "" {
				t.Errorf("%s: says, how or breaks is missing", r.ID)
			}
			if !slices.ContainsFunc(l.Steps, func(s Step) bool { return s.ID == r.Step }) {
				t.Errorf("%s: no step %q", r.ID, r.Step)
			}
		}
		for id := range specs {
			if !seen[id] {
				t.Errorf("%s: a spec without a requirement", id)
			}
		}
	}
}

// TestLedgerOrder holds that the requirements stand in the order of the steps,
// in which reports show them.
func TestLedgerOrder(t *testing.T) {
	for _, l := range Ledgers() {
		last := 0
		for _, r := range l.Requirements {
			step := slices.IndexFunc(l.Steps, func(s Step) bool { return s.ID == r.Step })
			if step < last {
				t.Errorf("%s: step %s comes too late", r.ID, r.Step)
			}
			last = max(last, step)
		}
	}
}

// TestStatements holds that no two requirements say the same: two names for one check.
func TestStatements(t *testing.T) {
	for _, l := range Ledgers() {
		said := map[string]string{}
		for _, r := range l.Requirements {
			if other, twice := said[r.Says]; twice {
				t.Errorf("%s and %s say the same", other, r.ID)
			}
			said[r.Says] = r.ID
		}
	}
}

// TestClauses holds that every clause is tested or excluded, and not both.
func TestClauses(t *testing.T) {
	for _, l := range Ledgers() {
		tested := map[string]bool{}
		for _, r := range l.Requirements {
			tested[r.Clause] = true
			if l.Clause(r.Clause) == nil {
				t.Errorf("%s: no clause %q", r.ID, r.Clause)
			}
		}
		for _, c := range l.Clauses {
			if tested[c.ID] == (c.Excluded != "") {
				t.Errorf("clause %s: expected a requirement or an exclusion with its reason, and not both (tested: %v, excluded: %q)", c.ID, tested[c.ID], c.Excluded)
			}
		}
	}
}

// TestDocumentCovered holds that every sentence of the document is quoted in a
// clause of the ledger, and every header field and JSON member of its samples is
// shown in one.
func TestDocumentCovered(t *testing.T) {
	sentences, samples := readDocument(t, "testdata/set-my-presence-information.txt")
	l, err := LedgerOf("set-presence")
	if err != nil {
		t.Fatal(err)
	}
	quoted := map[string]bool{}
	shown := map[string]bool{} // "1.Accept": of the sample in step 1
	for _, c := range l.Clauses {
		for _, q := range c.Quotes {
			quoted[q] = true
		}
		for _, s := range c.Shows {
			shown[c.ID[:1]+" "+s] = true
		}
	}
	if len(sentences) < 20 || len(samples) < 60 {
		t.Fatalf("only %d sentences and %d members of samples found in the document", len(sentences), len(samples))
	}
	for _, s := range sentences {
		if !quoted[s] {
			t.Errorf("no clause quotes %q", s)
		}
	}
	for _, s := range samples {
		if !shown[s] {
			t.Errorf("no clause of step %s shows %s", s[:1], s[2:])
		}
	}
	text, _ := os.ReadFile("testdata/set-my-presence-information.txt")
	for q := range quoted {
		if !strings.Contains(string(text), q) {
			t.Errorf("the ledger quotes what the document does not say: %q", q)
		}
	}
}

var (
	startLine = regexp.MustCompile(`^(?:(?:GET|POST) \S+ HTTP/1\.1|HTTP/1\.1 \d+ .*)$`)
	fieldLine = regexp.MustCompile(`^([A-Za-z0-9-]+): `)
	stepLine  = regexp.MustCompile(`^  1\. `)
	sentence  = regexp.MustCompile(`[^.]*?(?:\d+ OK\.|[.](?: |$)|$)`)
)

// readDocument splits the page into its sentences and the members of its samples.
func readDocument(t *testing.T, path string) (sentences, samples []string) {
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	step, sample, body := 0, false, ""
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case stepLine.MatchString(line):
			step, sample = step+1, false
			line = stepLine.ReplaceAllString(line, "")
		case startLine.MatchString(line):
			sample = true
			continue
		}
		if sample {
			if m := fieldLine.FindStringSubmatch(line); m != nil {
				samples = append(samples, number(step)+" "+m[1])
			} else if line != "" {
				body += line
				samples = append(samples, membersOf(t, step, body)...)
				if json.Valid([]byte(mend(body))) {
					body = ""
				}
			}
			continue
		}
		for _, s := range sentence.FindAllString(strings.TrimSpace(line), -1) {
			if s = strings.TrimSpace(s); s != "" {
				sentences = append(sentences, s)
			}
		}
	}
	return sentences, samples
}

func number(n int) string { return string(rune('0' + n)) }

// mend repairs what the printed JSON gets wrong.
func mend(s string) string {
	s = strings.ReplaceAll(s, "{...}", "{}")
	s = strings.ReplaceAll(s, "{},}\"rel\"", "{}},\"rel\"")
	return s
}

// membersOf lists the members of a body once it is whole, by the names that the
// ledger gives them.
func membersOf(t *testing.T, step int, body string) []string {
	var object map[string]any
	if json.Unmarshal([]byte(mend(body)), &object) != nil {
		return nil
	}
	var names []string
	add := func(name string) { names = append(names, number(step)+" "+name) }
	for name, value := range object {
		inner, _ := value.(map[string]any)
		switch name {
		case "_links", "_embedded":
			for rel := range inner {
				add(name + "." + rel)
			}
			me, _ := inner["me"].(map[string]any)
			for property := range me {
				if property != "_links" {
					add("me." + property)
				}
			}
			links, _ := me["_links"].(map[string]any)
			for rel := range links {
				add("me." + rel)
			}
		default:
			add(name)
		}
	}
	if len(names) == 0 {
		t.Errorf("no members found in %s", body)
	}
	return names
}

func TestSelection(t *testing.T) {
	l, _ := LedgerOf("set-presence")
	for _, test := range []struct {
		name      string
		selection Selection
		want      int
		err       string
	}{
		{"all", Selection{}, len(l.Requirements), ""},
		{"one", Selection{Requirements: []string{"set-presence.2.status"}}, 1, ""},
		{"a group", Selection{Requirements: []string{"set-presence.4.cookie."}}, 3, ""},
		{"a group with a star", Selection{Requirements: []string{"set-presence.4.cookie.*"}}, 3, ""},
		{"a level of a subject", Selection{Levels: []string{"should"}, Subjects: []string{"server"}}, 5, ""},
		{"unknown id", Selection{Requirements: []string{"set-presence.2.statsu"}}, 0, `did you mean "set-presence.2.status"?`},
		{"an id that is only the beginning of one", Selection{Requirements: []string{"set-presence.2.stat"}}, 0, "unknown requirement"},
		{"unknown level", Selection{Levels: []string{"most"}}, 0, `did you mean "must"?`},
		{"unknown subject", Selection{Subjects: []string{"srever"}}, 0, `did you mean "server"?`},
		{"nothing", Selection{Requirements: []string{"set-presence.2.status"}, Subjects: []string{"client"}}, 0, "nothing is selected"},
	} {
		got, err := test.selection.Apply(l)
		if len(got) != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %d requirements, error %v; expected %d, %q", test.name, len(got), err, test.want, test.err)
		}
	}
}

// TestEnough holds the size that the ledger promises.
func TestEnough(t *testing.T) {
	l, _ := LedgerOf("set-presence")
	count := map[string]int{}
	for _, r := range l.Requirements {
		count[r.Subject]++
	}
	if count["server"] < 45 || count["client"] < 20 {
		t.Errorf("%d of the server, %d of the client; expected at least 45 and 20", count["server"], count["client"])
	}
}
