package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
)

// hostileViews is everything that is made of several reports, made of hostile ones.
func hostileViews(t *testing.T) map[string]string {
	second := hostile()
	second.Results[1].Verdict, second.Evidence.SHA256 = Fail, nasty+"2"
	second.Results[1].Observed = "other" + nasty
	second.Tally()
	views := map[string]string{}
	c := Compare(everything(), second)
	twice := Compare(hostile(), second)
	for _, format := range ComparisonFormats() {
		views["comparison."+format] = comparisonIn(t, c, format) + comparisonIn(t, twice, format)
	}
	m := mergeOf(hostile(), second)
	m.Add(nasty, everything())
	m.Finish()
	for _, format := range MatrixFormats() {
		views["matrix."+format] = matrixIn(t, m, format)
	}
	dir := t.TempDir()
	for name, r := range map[string]*Report{"a": hostile(), "b": second} {
		if err := os.WriteFile(filepath.Join(dir, name+".json"), render(t, r, "json", Options{}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := ReadHistory(dir)
	if err != nil {
		t.Fatal(err)
	}
	h.Skipped = []string{nasty}
	h.Targets[0].Runs[0].Broken = []string{nasty}
	for _, format := range HistoryFormats() {
		views["history."+format] = historyIn(t, h, format)
	}
	return views
}

// Nothing acts on a terminal, and no page holds anything that could run, load or lead elsewhere.
func TestHostileViewsAreInert(t *testing.T) {
	for name, out := range hostileViews(t) {
		for i, c := range out {
			if c != '\n' && !unicode.IsPrint(c) {
				t.Fatalf("%s: %U at %d: %q", name, c, i, out[max(0, i-40):min(len(out), i+40)])
			}
		}
		switch {
		case strings.HasSuffix(name, ".html"):
			inertPage(t, name, out)
		case strings.HasSuffix(name, ".markdown"):
			for _, bad := range []string{"<script", "<img", "@someone", "www.evil", "https://evil", "\n# heading", "\n| a | b |"} {
				for _, line := range strings.Split(out, "\n") {
					if strings.Contains(line, bad) && !strings.Contains(line, "````") {
						t.Errorf("%s: %q: %.300s", name, bad, line)
					}
				}
			}
		}
	}
}

func inertPage(t *testing.T, name, page string) {
	elements := strings.Fields("html head meta title style body main h1 h2 p div span strong ul li table caption thead tbody tr th td br svg g rect")
	attributes := strings.Fields("lang charset http-equiv content name class scope tabindex role aria-label width height viewbox preserveaspectratio x y")
	allowed := map[string]bool{}
	for _, e := range elements {
		allowed["<"+e] = true
	}
	for _, a := range attributes {
		allowed[a] = true
	}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		token := z.Token()
		if !allowed["<"+token.Data] {
			t.Errorf("%s: an element <%s>", name, token.Data)
		}
		for _, a := range token.Attr {
			if !allowed[a.Key] {
				t.Errorf("%s: <%s> has the attribute %s=%q", name, token.Data, a.Key, a.Val)
			}
		}
	}
	hash := sha256.Sum256([]byte(baseStyle + tablesStyle))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; base-uri 'none'; form-action 'none'"
	if !strings.Contains(html.UnescapeString(page), policy) || !strings.Contains(page, "<style>"+baseStyle+tablesStyle+"</style>") {
		t.Errorf("%s: its policy does not hold for its style", name)
	}
	if _, err := html.Parse(bytes.NewReader([]byte(page))); err != nil {
		t.Error(err)
	}
}
