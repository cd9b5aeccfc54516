package suite

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestRequirements holds that every requirement is whole, and that its page has it where it says.
func TestRequirements(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range Ledgers() {
		for _, r := range l.Requirements {
			if seen[r.ID] {
				t.Errorf("%s: the id occurs twice", r.ID)
			}
			seen[r.ID] = true
			if !slices.Contains([]string{"must", "should", "may"}, r.Level) || !slices.Contains([]string{"server", "client"}, r.Subject) {
				t.Errorf("%s: level %q, subject %q", r.ID, r.Level, r.Subject)
			}
			if r.Says == "" || r.How == "" || r.Breaks == "" {
				t.Errorf("%s: says, how or breaks is missing", r.ID)
			}
			if _, url := r.Source(); url == "" {
				t.Errorf("%s: no address says where it stands", r.ID)
			}
			at := locations()[r.ID]
			source, err := os.ReadFile(at.file)
			if err != nil {
				t.Fatal(err)
			}
			id := strconv.Quote(strings.TrimPrefix(r.ID, l.Task+"."))
			line, template := strings.Split(string(source), "\n")[at.line-1], `("`+strings.Split(r.ID, ".")[1]+`",`
			if !strings.Contains(line, id) && !strings.Contains(line, template) { // or a template makes it
				t.Errorf("%s: %s does not have it", r.ID, at)
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

// TestShares holds that what a step shares with another page is there, and that this page judges nothing of it itself.
func TestShares(t *testing.T) {
	for _, l := range Ledgers() {
		for _, s := range l.Steps {
			for _, pattern := range s.shares {
				task, _, _ := strings.Cut(pattern, ".")
				of, err := LedgerOf(task)
				if err != nil || of == l || !slices.ContainsFunc(of.Requirements, func(r Requirement) bool { return matchID(pattern, r.ID) }) {
					t.Errorf("%s.%s shares %q, which is no requirement of another page", l.Task, s.ID, pattern)
				}
			}
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

// documents are the documents of the tasks, each with what its samples get wrong, so that they can be read, and the step of the
// page that a clause is about, by its id; 0 is none.
var documents = []struct {
	task, text         string
	sentences, members int      // as many as there are, so that none is overlooked
	mended             []string // pairs: what is printed, and what is meant
	step               func(clause string) int
}{
	{"create-application", "create-an-application.txt", 66, 175,
		[]string{"\"en-US\",\n}", "\"en-US\"\n}", "secure;\n\nHttpOnly", "secure; HttpOnly"},
		func(clause string) int { // a step of the ledger has two of the page: a request, and its answer
			parts := strings.Split(clause+".", ".")
			step, err := strconv.Atoi(parts[0])
			switch {
			case err == nil && parts[1] == "request":
				return 2*step - 1
			case err == nil && parts[1] == "answer":
				return 2 * step
			}
			return 0
		}},
	{"set-presence", "set-my-presence-information.txt", 28, 87,
		[]string{"{...},\n}\n", "{}\n},\n", "{...}", "{}", "Samples\",\"\n_links", "Samples\",\n\"_links"},
		stepOf},
	{"get-presence", "get-my-presence-information.txt", 22, 88, mended, stepOf},
	{"reset-presence", "reset-my-presence-information.txt", 24, 93, append([]string{"no-cacheGET https://lyncweb.contoso.com/ucwa/oauth/v1/applications/103/me/presence HTTP/1.1", "no-cache"}, mended...), stepOf},
	{"get-note", "get-my-note-information.txt", 24, 87, mended, stepOf},
	{"set-note", "set-my-note-information.txt", 26, 84, mended, stepOf},
	{"reset-note", "reset-my-note-information.txt", 25, 83, mended, stepOf},
}

// stepOf is the step of the page in the id of a clause.
func stepOf(clause string) int { step, _ := strconv.Atoi(clause[:1]); return step }

// mended is what is wrong with the samples of the pages that begin like "Set my presence information".
var mended = []string{"\"people\":{...},\n\"onlineMeetings\":{...},\n\"rel\":\"communication\",\"etag\":\"29...41\"}", "\"people\":{},\n\"onlineMeetings\":{},\n\"communication\":{}",
	"{...},\n}\n", "{}\n},\n", "{...}", "{}"}

// shares reports whether a page leaves a member of its samples to "Set my presence information".
func shares(task, member string) bool {
	return task != "set-presence" && task != "create-application" && member[0] <= '4'
}

// TestDocumentCovered holds that every sentence of the documents is quoted in a clause of their ledgers, and every header
// field and JSON member of their samples is shown in one, and nothing else.
func TestDocumentCovered(t *testing.T) {
	for _, page := range documents {
		t.Run(page.task, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + page.text)
			if err != nil {
				t.Fatal(err)
			}
			l, err := LedgerOf(page.task)
			if err != nil {
				t.Fatal(err)
			}
			sentences, members := readPage(t, strings.NewReplacer(page.mended...).Replace(string(text)))
			var quoted, shown []string // "1 Accept": of the sample in step 1
			for _, c := range l.Clauses {
				quoted = append(quoted, c.Quotes...)
				for _, s := range c.Shows {
					shown = append(shown, fmt.Sprint(page.step(c.ID), " ", s))
				}
			}
			first, _ := LedgerOf("set-presence")
			var shownFirst []string
			for _, c := range first.Clauses {
				for _, s := range c.Shows {
					shownFirst = append(shownFirst, fmt.Sprint(stepOf(c.ID), " ", s))
				}
			}
			if len(sentences) != page.sentences || len(members) != page.members {
				t.Errorf("%d sentences and %d members of samples found in the document; expected %d and %d", len(sentences), len(members), page.sentences, page.members)
			}
			for _, s := range sentences {
				if !slices.Contains(quoted, s) {
					t.Errorf("no clause quotes %q", s)
				}
			}
			for _, m := range members {
				if !slices.Contains(shown, m) && !(shares(page.task, m) && slices.Contains(shownFirst, m)) {
					t.Errorf("no clause of the step shows %s", m)
				}
			}
			for _, q := range quoted {
				if !strings.Contains(string(text), q) {
					t.Errorf("the ledger quotes what the document does not say: %q", q)
				}
			}
			for _, s := range shown {
				if !slices.Contains(members, s) {
					t.Errorf("the ledger shows what no sample of the step has: %s", s)
				}
			}
		})
	}
}

// TestDocumentsAgree holds that a recording of each page is judged by its own ledger, and that nothing in it is held
// against anybody.
func TestDocumentsAgree(t *testing.T) {
	for _, page := range documents {
		e := located(t, "documentation/"+page.task)
		if !slices.Equal(e.Tasks, []string{page.task}) {
			t.Errorf("%s is judged by %q", page.task, e.Tasks)
		}
		passed := 0
		for id, v := range verdictsOn(t, e) {
			if v == reports.Pass {
				passed++
			} else if v != reports.NotExercised && v != reports.NotApplicable {
				t.Errorf("%s: %s", id, v)
			}
		}
		if passed < 50 {
			t.Errorf("%s: only %d pass", page.task, passed)
		}
	}
}

var (
	stepLine    = regexp.MustCompile(`^  \d+\. `)
	startLine   = regexp.MustCompile(`^ *(?:(?:GET|POST) \S+ HTTP/1\.1|HTTP/1\.1 \d+ .*)$`)
	fieldLine   = regexp.MustCompile(`^ *([A-Za-z0-9-]+): `)
	formLine    = regexp.MustCompile(`^\w+=\S+$`)
	sentenceEnd = regexp.MustCompile(`([.?!]) ?([A-Z])`)
)

// readPage splits a page into its sentences and the members of its samples. A sample goes from its request or status line
// to the end of its body or, where it has none, to the first line that is no header field.
func readPage(t *testing.T, page string) (sentences, members []string) {
	step, sample, body := 0, false, ""
	add := func(names ...string) {
		for _, name := range names {
			members = append(members, fmt.Sprint(step, " ", name))
		}
	}
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\r\n")
		field := fieldLine.FindStringSubmatch(line)
		switch {
		case body != "" || sample && strings.HasPrefix(line, "{"):
			body += line
			var object map[string]any
			if json.Unmarshal([]byte(body), &object) == nil {
				add(membersOf(object)...)
				sample, body = false, ""
			}
			continue
		case stepLine.MatchString(line):
			step, sample = step+1, false
			line = stepLine.ReplaceAllString(line, "")
		case startLine.MatchString(line):
			sample = true
			continue
		case sample && field != nil:
			add(field[1])
			continue
		case sample && formLine.MatchString(line):
			for pair := range strings.SplitSeq(line, "&") {
				name, _, _ := strings.Cut(pair, "=")
				add(name)
			}
			continue
		case line != "":
			sample = false
		}
		line = strings.TrimPrefix(strings.TrimSpace(line), "- ")
		for s := range strings.SplitSeq(sentenceEnd.ReplaceAllString(line, "$1\n$2"), "\n") {
			if s != "" {
				sentences = append(sentences, s)
			}
		}
	}
	if body != "" {
		t.Errorf("step %d has a sample that is no JSON: %s", step, body)
	}
	return sentences, members
}

// membersOf lists the members of a resource by the names that the ledgers give them: those of its links and of what it
// embeds, and of these the properties and the links too.
func membersOf(resource map[string]any) []string {
	var names []string
	for name, value := range resource {
		inner, _ := value.(map[string]any)
		switch name {
		case "_links":
			for rel := range inner {
				names = append(names, "_links."+rel)
			}
		case "_embedded":
			for rel, embedded := range inner {
				names = append(names, "_embedded."+rel)
				embedded, _ := embedded.(map[string]any)
				for _, member := range membersOf(embedded) {
					names = append(names, rel+"."+strings.TrimPrefix(member, "_links."))
				}
			}
		default:
			names = append(names, name)
		}
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
