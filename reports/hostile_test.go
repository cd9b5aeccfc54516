package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// The sample of hostile values must not leave a field out, or the tests below mean little.
func TestHostileReportIsHostileThroughout(t *testing.T) {
	ours := map[string]bool{"Schema": true, "Outcome": true, "Subject": true, "Kind": true, "Level": true, "Verdict": true}
	var visit func(path string, v reflect.Value)
	visit = func(path string, v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			if !strings.Contains(v.String(), nasty) {
				t.Errorf("%s is tame: %q", path, v)
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				return
			}
			for i := range v.NumField() {
				if name := v.Type().Field(i).Name; !ours[name] {
					visit(path+"."+name, v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				visit(path, v.Index(i))
			}
		case reflect.Pointer:
			if !v.IsNil() {
				visit(path, v.Elem())
			}
		case reflect.Map:
			for _, k := range v.MapKeys() {
				visit(path, k)
				visit(path, v.MapIndex(k))
			}
		}
	}
	visit("Report", reflect.ValueOf(*hostile()))
}

// A terminal acts on nothing that a server sent, in whichever format it is shown.
func TestNothingUnprintableIsShown(t *testing.T) {
	reports := map[string]*Report{"hostile": hostile(), "hostile enumerations": hostile()}
	odd := reports["hostile enumerations"]
	odd.Outcome, odd.Subject, odd.Evidence.Kind = nasty, nasty, nasty
	for i := range odd.Results {
		odd.Results[i].Verdict, odd.Results[i].Level, odd.Results[i].Subject = nasty, nasty, nasty
	}
	for name, r := range reports {
		for _, format := range Formats() {
			t.Run(name+"/"+format, func(t *testing.T) {
				out := string(render(t, r, format, Options{Verbose: true}))
				if format == "csv" { // whose lines end as RFC 4180 says
					out = strings.ReplaceAll(out, "\r\n", "\n")
				}
				if !utf8.ValidString(out) {
					t.Error("broken UTF-8")
				}
				for i, c := range out {
					if c != '\n' && !unicode.IsPrint(c) {
						t.Fatalf("%U at %d: %q", c, i, out[max(0, i-40):min(len(out), i+40)])
					}
				}
			})
		}
	}
	colours := regexp.MustCompile(`\x1b\[\d+m`)
	out := colours.ReplaceAllString(string(render(t, hostile(), "text", Options{Color: true, Verbose: true})), "")
	if strings.ContainsRune(out, '\x1b') {
		t.Error("colours are not the only escape sequences")
	}
	if tame := string(render(t, conformant(), "text", Options{Color: true})); colours.ReplaceAllString(tame, "") != string(render(t, conformant(), "text", Options{})) {
		t.Error("colour changes more than the colour")
	}
}

func TestEscapesAreVisible(t *testing.T) {
	for in, want := range map[string]string{
		"204":                 "204",
		"grün, 日本 😀":          "grün, 日本 😀",
		"a\nb\tc\r":           `a\nb\tc\r`,
		"\x1b[31m\x00\x7f":    `\x1b[31m\x00\x7f`,
		"\u009b\u202e\u2069":  `\u009b\u202e\u2069`,
		"\xff\ufffd\u00a0\\x": `\xff\ufffd\u00a0\x`,
		"\U000e0041":          `\U000e0041`,
	} {
		if got := visible(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func TestHostileJSONKeepsValues(t *testing.T) {
	data := render(t, hostile(), "json", Options{})
	if !json.Valid(data) {
		t.Fatal("not JSON")
	}
	if !bytes.Contains(data, []byte("<script>")) {
		t.Error("the JSON escapes what only HTML needs escaped")
	}
	read, err := Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ToValidUTF8(strings.ReplaceAll(nasty, "\xff\xc3(", "\xff|\xc3("), "\ufffd"); read.Results[1].Statement != strings.ReplaceAll(want, "\ufffd|\ufffd(", "\ufffd\ufffd(") {
		t.Errorf("%q was read back as %q", nasty, read.Results[1].Statement)
	}
}

func TestHostileTextKeepsItsLayout(t *testing.T) {
	r := hostile()
	for _, width := range []int{40, 100} {
		for _, line := range strings.Split(string(render(t, r, "text", Options{Width: width, Verbose: true})), "\n") {
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("a line of %d characters at width %d: %s", n, width, line)
			}
		}
	}
	if n := len(render(t, r, "text", Options{})); n > 100_000 {
		t.Errorf("one long value makes the text %d bytes", n)
	}
}

// What the page consists of is what the template says: values add text, and nothing else.
func TestHostileHTMLIsInert(t *testing.T) {
	for name, r := range samples() {
		page := render(t, r, "html", Options{})
		allowed := map[string]bool{}
		for _, tag := range strings.Fields("html head meta title style script body main header nav section p h1 h2 h3 h4 span strong mark div br a " +
			"table caption thead tbody tfoot tr th td ul li dl dt dd code pre figure figcaption details summary " +
			"form fieldset legend label input output button svg g rect circle line path text tspan") {
			allowed[tag] = true
		}
		ids, links := map[string]bool{}, []string{}
		z := html.NewTokenizer(bytes.NewReader(page))
		for {
			kind := z.Next()
			if kind == html.ErrorToken {
				break
			}
			if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
				continue
			}
			token := z.Token()
			if !allowed[token.Data] {
				t.Errorf("%s: an element <%s>", name, token.Data)
			}
			for _, a := range token.Attr {
				switch a.Key {
				case "id":
					if ids[a.Val] {
						t.Errorf("%s: the id %q twice", name, a.Val)
					}
					ids[a.Val] = true
				case "href":
					links = append(links, a.Val)
				case "for":
					links = append(links, "#"+a.Val)
				case "class", "scope", "lang", "charset", "http-equiv", "content", "tabindex", "open", "hidden", "role", "focusable",
					"data-verdict", "data-level", "data-subject", "data-task", "data-by", "data-value",
					"name", "type", "value", "placeholder", "autocomplete", "spellcheck",
					"aria-label", "aria-hidden", "aria-live", "aria-pressed":
				case "viewbox", "preserveaspectratio", "width", "height", "x", "y", "dx", "dy", "x1", "y1", "x2", "y2", "r", "rx", "d", "transform", "text-anchor":
				default:
					t.Errorf("%s: <%s> has the attribute %s=%q", name, token.Data, a.Key, a.Val)
				}
			}
		}
		for _, link := range links {
			if id, ok := strings.CutPrefix(link, "#"); !ok || !ids[id] {
				t.Errorf("%s: the link %q leads nowhere", name, link)
			}
		}
		if _, err := html.Parse(bytes.NewReader(page)); err != nil {
			t.Error(err)
		}
	}
}

// The policy allows the page's own style sheet and script, and nothing else.
func TestHTMLPolicyHoldsForItsStyleAndScript(t *testing.T) {
	page := string(render(t, hostile(), "html", Options{}))
	hash := func(tag string) string {
		_, rest, _ := strings.Cut(page, "<"+tag+">")
		text, _, _ := strings.Cut(rest, "</"+tag+">")
		if len(text) < 1000 {
			t.Errorf("the %s is %q", tag, text)
		}
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	want := "default-src 'none'; style-src " + hash("style") + "; script-src " + hash("script") + "; base-uri 'none'; form-action 'none'"
	if !strings.Contains(html.UnescapeString(page), `content="`+want+`"`) {
		t.Errorf("the page has no policy %s", want)
	}
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("the page has %d scripts", n)
	}
}

// No value makes markup, a mention or a link of its own.
func TestHostileMarkdownIsInert(t *testing.T) {
	md := string(render(t, hostile(), "markdown", Options{}))
	prose := regexp.MustCompile("(?s)````.*?````").ReplaceAllString(md, "CODE")
	if !strings.Contains(prose, "CODE") {
		t.Fatal("found no code to leave out")
	}
	for _, bad := range []string{"<script", "<img", "@someone", "www.evil", "https://evil", "[x](", "\n# heading", "\n| a | b |"} {
		if strings.Contains(prose, bad) {
			i := strings.Index(prose, bad)
			t.Errorf("%q stands outside of code: %s", bad, prose[max(0, i-80):min(len(prose), i+80)])
		}
	}
	if open, shut := strings.Count(md, "\n<details>"), strings.Count(md, "\n</details>\n"); open != shut {
		t.Errorf("%d details are opened, %d closed", open, shut)
	}
	for _, row := range strings.Split(md, "\n") {
		if strings.HasPrefix(row, "| ✗ ") && strings.Count(strings.ReplaceAll(row, `\|`, ""), "|") != 7 {
			t.Errorf("a value breaks its row: %s", row)
		}
	}
}

func TestMarkdownCode(t *testing.T) {
	for in, want := range map[string]string{
		"204":      "`204`",
		"a`b":      "``a`b``",
		"`a":       "`` `a ``",
		"a``b`c":   "```a``b`c```",
		" a ":      "`  a  `",
		"":         "`  `",
		"a | b":    "`a | b`",
		"<b>&amp;": "`<b>&amp;`",
	} {
		if got := mdCode(in); got != want {
			t.Errorf("%q as code is %s, want %s", in, got, want)
		}
	}
	if got := mdCell("a|b"); got != "`a\\|b`" {
		t.Errorf("in a cell: %s", got)
	}
}

func TestMarkdownStaysUnderOneMebibyte(t *testing.T) {
	r := hostile()
	r.Results[0].Observed = nasty
	for len(r.Results) < 2_000 {
		r.Results = append(r.Results, r.Results...)
	}
	r.Tally()
	md := string(render(t, r, "markdown", Options{}))
	if len(md) >= 1<<20 {
		t.Errorf("%d bytes", len(md))
	}
	for _, want := range []string{"left out to keep this page short", "\nNext: "} {
		if !strings.Contains(md, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if open, shut := strings.Count(md, "\n<details>"), strings.Count(md, "\n</details>\n"); open != shut {
		t.Errorf("%d details are opened, %d closed", open, shut)
	}
}
