package reports

import (
	"bytes"
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

func TestBodiesAreLaidOut(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want []bodyLine
	}{
		"nothing": {"", nil},
		"JSON": {`{"_links":{"self":{"href":"/a"}},"sender":[{"rel":"me"},7,[]],"a\"b":"{"}`, []bodyLine{
			{"{", ""}, {`  "_links": {`, "_links"}, {`    "self": {`, "_links.self"}, {`      "href": "/a"`, "_links.self.href"}, {"    }", ""}, {"  },", ""},
			{`  "sender": [`, "sender"}, {"    {", "sender.0"}, {`      "rel": "me"`, "sender.0.rel"}, {"    },", ""}, {"    7,", "sender.1"}, {"    []", "sender.2"}, {"  ],", ""},
			{`  "a\"b": "{"`, `a"b`}, {"}", ""}}},
		"JSON cut in the middle": {`{"a": 1,`, []bodyLine{{text: `{"a": 1,`}}},
		"JSON as it was sent":    {"{\r\n \"a\": 1.0 }", []bodyLine{{"{", ""}, {`  "a": 1.0`, "a"}, {"}", ""}}},
		"XML": {`<?xml version="1.0"?><reason xmlns="u"><code>NotFound</code><empty/><p></p><a b="&lt;"><!-- x --></a></reason>`, []bodyLine{
			{text: `<?xml version="1.0"?>`}, {text: `<reason xmlns="u">`}, {text: `  <code>NotFound</code>`}, {text: `  <empty/>`}, {text: `  <p></p>`},
			{text: `  <a b="&lt;">`}, {text: `    <!-- x -->`}, {text: `  </a>`}, {text: `</reason>`}}},
		"HTML":      {"<p>one<br>two\nthree", []bodyLine{{text: "<p>one<br>two"}, {text: "three"}}},
		"a form":    {"grant_type=password&username=dana", []bodyLine{{"grant_type=password", "grant_type"}, {"&username=dana", "username"}}},
		"text":      {"a = b\r\nc", []bodyLine{{text: "a = b"}, {text: "c"}}},
		"very deep": {strings.Repeat("[", 100_000), []bodyLine{{text: shorten(strings.Repeat("[", 100_000), htmlBodyRunes)}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, bodyLines(test.body), cmp.AllowUnexported(bodyLine{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever a body is, laying it out changes nothing but white space.
func FuzzBodyLines(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}]}`, `[]`, `{"a\"":" x "}`, "<a><b c='d'>e</b></a>", "a=b&c", "a=b&c=", "<a>\n</a>", "\xff{", strings.Repeat(`{"a":`, 70)} {
		f.Add(seed)
	}
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) > htmlBodyRunes || !utf8.ValidString(body) {
			return // is cut; or the comparison below would join what was never one character
		}
		var b strings.Builder
		for _, line := range bodyLines(body) {
			if strings.Contains(line.text, "\n") {
				t.Errorf("a line with a line break: %q", line.text)
			}
			b.WriteString(line.text)
		}
		if got, want := bare(b.String()), bare(body); got != want {
			t.Errorf("%q is laid out as %q", want, got)
		}
	})
}

func TestDifference(t *testing.T) {
	mark := func(runs []run) string {
		var b strings.Builder
		for _, r := range runs {
			if r.Class == "" {
				b.WriteString(r.Text)
			} else {
				fmt.Fprintf(&b, "[%s]", r.Text)
			}
		}
		return b.String()
	}
	for _, test := range [][4]string{
		{"en-US", "en_US", "en[-]US", "en[_]US"},
		{"/ucwa/v1/applications/101/events", "https://pool/ucwa/v1/applications/101/events", "/ucwa/v1/applications/101/events", "[https:]/[/pool/]ucwa/v1/applications/101/events"},
		{"the same words here", "the other words here", "the [same] words here", "the [other] words here"},
		{"204", "200", "204", "200"}, // all of it differs: a mark would say nothing
		{"a link whose href is a URL", `{"href":7}`, "a link whose href is a URL", `{"href":7}`},
		{"a", "", "a", ""},
		{"", "b", "", "b"},
		{strings.Repeat("a ", 300), strings.Repeat("a ", 299), strings.Repeat("a ", 300), strings.Repeat("a ", 299)}, // too long
	} {
		expected, observed := difference(test[0], test[1])
		if got := [4]string{test[0], test[1], mark(expected), mark(observed)}; got != test {
			t.Errorf("%q and %q differ as %q and %q, want %q and %q", got[0], got[1], got[2], got[3], test[2], test[3])
		}
	}
}

// A difference loses nothing of either value; and marked text is text, and marks.
func FuzzDifference(f *testing.F) {
	f.Add("en-US", "en_US")
	f.Add("a <b> c", "a <i> c")
	f.Add("\xff", "\xff\xfe")
	f.Fuzz(func(t *testing.T, a, b string) {
		left, right := difference(a, b)
		for i, runs := range [][]run{left, right} {
			var text strings.Builder
			for _, r := range runs {
				text.WriteString(r.Text)
			}
			if want := []string{a, b}[i]; text.String() != want {
				t.Errorf("%q became %q", want, text.String())
			}
			nodes, err := html.ParseFragment(strings.NewReader("<pre>\n"+string(runsHTML(runs))+"</pre>"), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, top := range nodes {
				for n := range top.Descendants() {
					if n.Type == html.ElementNode && !strings.Contains(" html head body pre mark ", " "+n.Data+" ") {
						t.Errorf("%q makes an element <%s>", runs, n.Data)
					}
				}
			}
		}
	})
}

func TestMarksAreEscaped(t *testing.T) {
	got := runsHTML([]run{{Text: "<a>"}, {Text: `"<b>&`, ID: "x1q0", Class: "bad"}, {Text: "</mark>", Class: "seen"}})
	if want := template.HTML(`&lt;a&gt;<mark id="x1q0" class="bad">&#34;&lt;b&gt;&amp;</mark><mark class="seen">&lt;/mark&gt;</mark>`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Every kind of field that a spec looks at has a line that its link leads to.
func TestFieldsHaveTheirLines(t *testing.T) {
	r := conformant()
	r.Exchanges = append(r.Exchanges, Exchange{Number: 11, Request: Request{Method: "POST", URL: "https://a/token?x=1", Body: "grant_type=password&username=dana"},
		Response: &Response{Status: 400, Body: `{"error":"invalid_grant"}`}})
	want := map[Pointer]string{
		{9, "request method"}:                        "POST https://pool.example/ucwa/oauth/v1/applications/101/me/makeMeAvailable",
		{9, "request URL.query"}:                     "POST https://pool.example/ucwa/oauth/v1/applications/101/me/makeMeAvailable",
		{9, "request header content-type"}:           "Content-Type: application/json",
		{9, "request body"}:                          "{",
		{9, "request body.supportedModalities.1"}:    `"PhoneAudio"`,
		{9, "status"}:                                "HTTP 204",
		{9, "header Cache-Control"}:                  "Cache-Control: no-cache",
		{9, "header Location"}:                       "", // is not there
		{9, "body"}:                                  "",
		{10, "_links.self.href"}:                     `"href": "/ucwa/oauth/v1/applications/101/me/presence"`,
		{10, "body"}:                                 "{",
		{10, "request body"}:                         "",
		{10, ""}:                                     "",
		{11, "request body.username"}:                "&username=dana",
		{11, "error"}:                                `"error": "invalid_grant"`,
		{11, "request order of what went before it"}: "",
	}
	for at := range want {
		r.Results = append(r.Results, Result{Requirement: "a." + at.Field, Verdict: Fail, Evidence: []Pointer{at}})
	}
	p := newPage(r)
	lines := map[string]string{}
	for _, x := range p.Shown {
		for _, line := range append(x.Request, x.Response...) {
			if line.ID != "" {
				lines["#"+line.ID] = line.Text
			}
		}
	}
	found := map[Pointer]string{}
	for _, problem := range p.Problems {
		if len(problem.Places) != 1 {
			t.Fatalf("%s: %v", problem.Requirement, problem.Places)
		}
		at := problem.Places[0]
		found[at.Pointer] = lines[at.Href]
		if lines[at.Href] == "" && at.Href != fmt.Sprintf("#exchange-%d", at.Exchange) {
			t.Errorf("%v has no line, and links to %q", at.Pointer, at.Href)
		}
		if (lines[at.Href] == "") != (problem.Excerpt == nil) {
			t.Errorf("%v has the excerpt %v", at.Pointer, problem.Excerpt)
		}
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
}

// A small object that is wrong is marked whole, a large one by its name.
func TestMembersAreMarkedWhole(t *testing.T) {
	r := conformant()
	r.Results[3].Verdict, r.Results[3].Evidence = Fail, []Pointer{{10, "_links"}}
	marks := func() (list []string) {
		for _, line := range newPage(r).Shown[1].Response {
			if line.Class == "bad" {
				list = append(list, line.Text)
			}
		}
		return list
	}
	if diff := cmp.Diff([]string{`"_links": {`, `"self": {`, `"href": "/ucwa/oauth/v1/applications/101/me/presence"`, "}", "},"}, marks()); diff != "" {
		t.Error(diff)
	}
	r.Exchanges[1].Response.Body = `{"_links":{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8}}`
	if diff := cmp.Diff([]string{`"_links": {`}, marks()); diff != "" {
		t.Error(diff)
	}
}

// What is shown beyond all measure is cut, what verdicts rest on last of all, and that is said.
func TestPageIsBounded(t *testing.T) {
	r := everything()
	body := strings.Repeat(`"0123456789 0123456789 0123456789",`, 3000)
	for n := 12; n <= htmlExchanges+1000; n++ {
		x := Exchange{Number: n, Request: Request{Method: "GET", URL: "https://pool.example/x"}, Response: &Response{Status: 200}}
		if n < 200 {
			x.Response.Body = fmt.Sprintf("[%s%d]", body, n)
		}
		r.Exchanges = append(r.Exchanges, x)
	}
	r.Results = append(r.Results, result("2", "last", "server", "must", Fail, "The last is right.", "1", "2", htmlExchanges+1000))
	r.Results[len(r.Results)-1].Evidence[0].Field = "status"
	r.Tally()
	page := render(t, r, "html", Options{})
	if len(page) > 10_000_000 {
		t.Errorf("%d bytes", len(page))
	}
	text := html.UnescapeString(string(page))
	for _, want := range []string{"992 exchanges on which no verdict rests are left out", "Headers and bodies are left out", "(cut here; the body has", `<mark id="x6000a0" class="bad">HTTP 200</mark>`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// The same large body stands once, unless somebody looked into it.
func TestBodiesStandOnce(t *testing.T) {
	r := conformant()
	body := `{"a":"` + strings.Repeat("x", 600) + `"}`
	for n := 11; n <= 13; n++ {
		r.Exchanges = append(r.Exchanges, Exchange{Number: n, Request: Request{Method: "GET", URL: "https://a/b"}, Response: &Response{Status: 200, Body: body}})
	}
	r.Results = append(r.Results, result("2", "a", "server", "must", Pass, "It has an a.", "x", "x", 13))
	page := string(render(t, r, "html", Options{}))
	if n := strings.Count(page, strings.Repeat("x", 600)); n != 1 {
		t.Errorf("the body stands %d times", n)
	}
	if n := strings.Count(page, "(the same 608 bytes as in exchange 13)"); n != 2 {
		t.Errorf("%d times it is said where it stands", n)
	}
}

func TestSequence(t *testing.T) {
	p := newPage(everything())
	s := p.Sequence
	var got []string
	for _, a := range s.Rows {
		got = append(got, fmt.Sprintf("%d %s -> %d %s %s", a.Number, a.Label, a.To, a.Status(), a.Style))
	}
	want := []string{
		"9 POST …/me/makeMeAvailable -> 432 403 bad",
		"10 GET …/me/presence -> 432 200 care",
		"11 GET …/101/events?ack=1 -> 800 none bad",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for url, want := range map[string]string{
		"https://lyncdiscover.contoso.com/":                                    "Autodiscover",
		"https://webdir.contoso.com/Autodiscover/AutodiscoverService.svc/root": "Autodiscover",
		"https://webdir.contoso.com/WebTicket/oauthtoken":                      "Token service",
		"https://pool/ucwa/v1/applications/1/events?ack=1":                     "Event channel",
		"https://pool/ucwa/v1/applications/1/me?from=/autodiscover/":           "Pool",
		"": "Pool",
	} {
		if got := role(url); got != want {
			t.Errorf("%s is for the %s, want %s", url, got, want)
		}
	}
}

// A sequence of thousands shows what matters, in its order, and says what it leaves out.
func TestLongSequenceIsCut(t *testing.T) {
	p := newPage(many(3000))
	s := p.Sequence
	if len(s.Rows) != htmlRows || s.Drawn != htmlRows || s.Of != len(p.Exchanges) {
		t.Errorf("%d rows, %d of %d drawn", len(s.Rows), s.Drawn, s.Of)
	}
	var gap int
	if len(s.Gaps) == 0 {
		t.Fatal("no gap is told")
	}
	if _, err := fmt.Sscanf(s.Gaps[0].Title, "%d exchanges are not drawn", &gap); err != nil || gap < 1 {
		t.Errorf("the first gap is %q", s.Gaps[0].Title)
	}
	for i, a := range s.Rows {
		if i > 0 && (a.Number <= s.Rows[i-1].Number || a.Y <= s.Rows[i-1].Y) {
			t.Errorf("exchange %d at %d stands after %d at %d", a.Number, a.Y, s.Rows[i-1].Number, s.Rows[i-1].Y)
		}
		if a.Style == "none" {
			t.Errorf("exchange %d is drawn, on which nothing rests", a.Number)
		}
	}
	if !bytes.Contains(render(t, many(3000), "html", Options{}), []byte("120 of 2992 exchanges are drawn")) {
		t.Error("the page does not say how many are drawn")
	}
}

func TestTimeline(t *testing.T) {
	r := everything()
	if tl := newPage(r).Timeline; tl == nil || tl.Known || tl.Whole != 30_000 || tl.Rows[0].X != 0 || tl.Rows[2].Width != 1000 {
		t.Errorf("without times of start: %+v", tl)
	}
	first := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for i := range r.Exchanges {
		r.Exchanges[i].StartedAt = first.Add(time.Duration(i) * 10 * time.Second)
	}
	tl := newPage(r).Timeline
	if !tl.Known || tl.Whole != 50_000 || tl.Rows[1].Offset != 10_000 || tl.Rows[1].X != 200 || tl.Rows[2].X != 400 || tl.Rows[2].Width != 600 {
		t.Errorf("with times of start: %+v", tl)
	}
	if page := string(render(t, r, "html", Options{})); !strings.Contains(page, "<td>10000.0 ms</td>") || !strings.Contains(page, "Bars begin when the exchange began.") {
		t.Error("the page does not show when the exchanges began")
	}
	for i := range r.Exchanges {
		r.Exchanges[i].StartedAt, r.Exchanges[i].DurationMs = time.Time{}, 0
	}
	if tl := newPage(r).Timeline; tl != nil {
		t.Errorf("without any times: %+v", tl)
	}
	if page := string(render(t, r, "html", Options{})); !strings.Contains(page, "The evidence has no times") {
		t.Error("the page does not say that there are no times")
	}
}

// A link to a requirement holds from one report to the next, whatever else an id could be.
func TestAnchors(t *testing.T) {
	taken := map[string]bool{}
	for i, want := range []string{"set-presence.1.status", "result-2", "result-3", "result-4", "result-5"} {
		id := []string{"set-presence.1.status", "set-presence.1.status", "exchange-9", "a.b c", ""}[i]
		if got := anchorOf(id, i+1, taken); got != want {
			t.Errorf("the anchor of %q is %q, want %q", id, got, want)
		}
	}
}

func BenchmarkHTML(b *testing.B) {
	for _, exchanges := range []int{60, 5000} {
		b.Run(strconv.Itoa(exchanges), func(b *testing.B) {
			r := many(exchanges)
			size := 0
			for b.Loop() {
				size = len(render(b, r, "html", Options{}))
			}
			b.ReportMetric(float64(size)/1e6, "MB")
		})
	}
}

// A failure that is known is borne: it is not red anywhere on the page, comes after those that are not known, and says
// why it is borne.
func TestKnownFailuresAreNotRed(t *testing.T) {
	page := string(render(t, known(), "html", Options{}))
	for _, want := range []string{
		`<section class="hero excused"`, `<details class="result care" id="set-presence.1.status"`, "✗</span> fail, known</span>", "✗</span> 1 fail, known</span>",
		`known: tracked as UC-17`, `class="exchange care"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	red := regexp.MustCompile(`<(details|span|rect|a|mark) (id="[^"]*" )?class="([a-z]+ )?bad"[^>]*>`)
	for _, found := range red.FindAllString(page, -1) {
		t.Errorf("red: %s", found)
	}
	r := known()
	r.Results[3].Verdict = Fail // another, later one, which nobody knows
	r.Tally()
	_, problems := tasksOf(r, nil)
	if len(problems) != 2 || problems[0].Requirement != "set-presence.2.status" || problems[1].Known == nil {
		t.Errorf("what is to be looked at first is %v", problems)
	}
	if page := string(render(t, r, "html", Options{})); !red.MatchString(page) {
		t.Error("a failure that is not known is not red")
	}
}

// Who has nothing else to do has a baseline to mend: the run is red until then.
func TestNextOfAnOldBaseline(t *testing.T) {
	r := conformant()
	apply(r, "known:\n- requirement: set-presence.2.status\n  reason: tracked as UC-19\n")
	if got := next(r, ""); !strings.HasPrefix(got, "update the baseline, which is out of date on set-presence.2.status") {
		t.Error(got)
	}
}
