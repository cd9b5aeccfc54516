package suite

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// natural are values as deployments have them, which no search for identities found or which it took for something else.
func natural() []string {
	list := []string{"O'Brien", "Jürgen Groß-Weiß", "José Ñandú", "Đặng Thị Hồng", "Łukasz Żółć", "山田太郎", "محمد", "Иван Петров", "van der Berg, A.", "Anne-Marie", "X Æ A-12", "null", "true", "Online",
		"application", "events", "me", "sip:pat.o'brien@contoso.com", "sip:online@events.com", "sip:ü@contoso.com", "sip:a@b", "sip:+4930123@contoso.com;user=phone", "sip:dana@contoso.com;gruu;opaque=app:conf:focus:id:7QX",
		"pat+tag@contoso.com", `"quoted name"@contoso.com`, "user@[10.1.2.3]", `CONTOSO\dana`, `C:\Program Files\Skype\lync.exe`, `\\fs01\share\dana`, "/home/dana/ucwa", "fd12:3456:789a::1", "[::1]:8443", "10.1.2.3", "10.1.2.3:443",
		"LYNCFE01", "lync-fe_01", "lyncfe01.ad.contoso.local", "xn--bcher-kva.example", "bücher.example", "*.contoso.com", ".contoso.com", "evil.com,.contoso.com", "6f9619ff8b864d01b42d00cf4fc964ff",
		"{6F9619FF-8B86-4D01-B42D-00CF4FC964FF}", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "00000000-0000-0000-0000-000000000000", "/o=Contoso/ou=Exchange/cn=Recipients/cn=dana", "CN=Dana Birkby,OU=Sales,DC=contoso,DC=com",
		"+49 (30) 9018-20345", "+1-555-010-0199 x42", "tel:+14255550101;ext=50101", "030/901820345", "0049 30 901820345", "(425) 555-0101", "425.555.0101", "5550101", "+49 30 901820 345", "٠٣٠١٢٣",
		"https://pool.contoso.com/ucwa/oauth/v1/applications/101/me/presence", "https://meet.contoso.com/dana/7QX2", "http://dana:pw@contoso.com/", "//contoso.com/x", "../me", "?x=1", "javascript:alert(1)", "data:text/plain,Hello",
		"urn:uuid:6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "user-1", "user-1@host-1.example.invalid", "text-1", "text-1xxxx", "id-3", "REDACTED-1", "REDACTED", "9000000001", "00000000-0000-4000-8000-000000000001",
		"Gone fishing & back at 5 <soon>", "{\"a\":1}", "[1,2]", "{broken", "a=b&c=d", "50%", "%41%zz", "&amp;&#65;", "line\nbreak", "tab\there", "\u0000", "\u200b", "\ufeff", "\ud7ff", strings.Repeat("n", 300), strings.Repeat("ü", 200),
		"cwt=AAEBabc", "Bearer AAEBabc", "28020;source=\"x\"", "2026-11-30T05:00:00Z", "/Date(1476232721043)/", "P1DT2H", "en-US", "en_US", "zh-Hant-TW", "", " ", "0", "1", "-1", "3.14", "1e9", "007"}
	r := rand.New(rand.NewPCG(15, 2))
	for len(list) < 200 {
		const letters = "abcdefghijklmnopqrstuvwxyzäöüß' -._@:/0123456789"
		runes := []rune(letters)
		b := make([]rune, 1+r.IntN(30))
		for i := range b {
			b[i] = runes[r.IntN(len(runes))]
		}
		list = append(list, string(b))
	}
	return list
}

// leaf is a text in the JSON of an answer or a request.
type leaf struct {
	exchange int
	request  bool
	path     []any
	text     string
}

func leavesOf(c *cassettes.Cassette) []leaf {
	var list []leaf
	for i, x := range c.Exchanges {
		for request, body := range map[bool]string{true: x.Request.Body, false: x.Response.Body} {
			var value any
			if json.Unmarshal([]byte(body), &value) != nil {
				continue
			}
			var walk func(v any, path []any)
			walk = func(v any, path []any) {
				switch v := v.(type) {
				case map[string]any:
					for _, name := range slices.Sorted(maps.Keys(v)) {
						walk(v[name], append(slices.Clone(path), name))
					}
				case []any:
					for n, item := range v {
						walk(item, append(slices.Clone(path), n))
					}
				case string:
					list = append(list, leaf{i, request, path, v})
				}
			}
			walk(value, nil)
		}
	}
	slices.SortFunc(list, func(a, b leaf) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return list
}

// with returns the recording with another text at a leaf.
func (l leaf) with(c *cassettes.Cassette, text string) *cassettes.Cassette {
	changed := c.Clone()
	x := changed.Exchanges[l.exchange]
	body := &x.Response.Body
	if l.request {
		body = &x.Request.Body
	}
	var value any
	if json.Unmarshal([]byte(*body), &value) != nil {
		return changed
	}
	set(value, l.path, text)
	content, err := json.Marshal(value)
	if err != nil {
		return changed
	}
	*body = string(content)
	return changed
}

func set(value any, path []any, text string) {
	for i, step := range path {
		last := i == len(path)-1
		switch at := step.(type) {
		case string:
			if object, _ := value.(map[string]any); last {
				object[at] = text
			} else {
				value = object[at]
			}
		case int:
			if list, _ := value.([]any); last {
				list[at] = text
			} else {
				value = list[at]
			}
		}
	}
}

// TestMaskedVerdicts is the gate for each new page: natural values at the leaves of the reference recording, and texts that change places
// with others of their form, get the same verdicts, at the same fields, masked as they were received.
func TestMaskedVerdicts(t *testing.T) {
	slow(t)
	if race {
		t.Skip("the code that it tests starts no goroutine, so the race detector has nothing to find")
	}
	c := open(t, "reference/set-presence")
	leaves := leavesOf(c)
	r := rand.New(rand.NewPCG(1, 15))
	type trial struct {
		name string
		c    *cassettes.Cassette
	}
	const times = 1 // 20 were tried when this was written
	var trials []trial
	for _, text := range natural() {
		for range times {
			l := leaves[r.IntN(len(leaves))]
			trials = append(trials, trial{fmt.Sprintf("%q at %v of exchange %d", text, l.path, l.exchange+1), l.with(c, text)})
		}
	}
	for range 150 * times {
		a, b := leaves[r.IntN(len(leaves))], leaves[r.IntN(len(leaves))]
		trials = append(trials, trial{fmt.Sprintf("%q of exchange %d at %v of exchange %d", b.text, b.exchange+1, a.path, a.exchange+1), a.with(c, b.text)})
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	slots, verdicts := make(chan struct{}, 8), 0
	for _, trial := range trials {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			was := resultsOf(t, trial.c)
			for _, keeps := range []mask.Keeps{mask.Nothing, mask.Names} {
				m := mask.New(mask.Options{Keeps: keeps})
				masked := trial.c.Masked(m)
				is := resultsOf(t, masked)
				if len(was) != len(is) {
					t.Errorf("%s: %d clients, masked %d", trial.name, len(was), len(is))
					return
				}
				for i := range was {
					for k, before := range was[i] {
						after := is[i][k]
						if before.Verdict != after.Verdict || fmt.Sprint(before.Evidence) != fmt.Sprint(after.Evidence) {
							t.Errorf("%s, keeps %d: %s is %s %v (%s), masked %s %v (%s)", trial.name, keeps, before.Requirement,
								before.Verdict, before.Evidence, before.Observed, after.Verdict, after.Evidence, after.Observed)
						}
					}
				}
				mu.Lock()
				verdicts += len(was) * len(was[0])
				mu.Unlock()
				if again := masked.Masked(mask.New(mask.Options{Keeps: keeps})); !sameExchanges(masked, again) {
					t.Errorf("%s, keeps %d: to mask again changes it", trial.name, keeps)
				}
				if n := m.Found(); n > 0 && keeps == mask.Nothing { // a token can be what an identity is, too
					t.Errorf("%s: the second line found %d", trial.name, n)
				}
			}
		})
	}
	wait.Wait()
	t.Logf("%d recordings, %d verdicts", len(trials), verdicts)
}

func resultsOf(t testing.TB, c *cassettes.Cassette) [][]reports.Result {
	t.Helper()
	list, err := Locate(c)
	if err != nil {
		t.Fatal(err)
	}
	results := make([][]reports.Result, len(list))
	for i, e := range list {
		if results[i], err = Examine(e); err != nil {
			t.Fatal(err)
		}
	}
	return results
}

func sameExchanges(a, b *cassettes.Cassette) bool {
	for i := range a.Exchanges {
		if fmt.Sprintf("%+v", *a.Exchanges[i].Interaction) != fmt.Sprintf("%+v", *b.Exchanges[i].Interaction) {
			return false
		}
	}
	return true
}

// TestNothingIsTakenBack holds that a failure stays, whatever a server puts into its answers.
func TestNothingIsTakenBack(t *testing.T) {
	c := open(t, "reference/set-presence")
	at := slices.IndexFunc(c.Exchanges, func(x cassettes.Exchange) bool {
		return strings.HasSuffix(x.Request.URL, "/makeMeAvailable") && x.Response.Code == 204
	})
	ways := append(natural()[:40], "\xff\xfe", "\x1f\x8b\x08", strings.Repeat("[", 100_000), strings.Repeat("a@b.c ", 20_000), strings.Repeat("\x00", 1<<20), "<html>"+strings.Repeat("<", 10_000),
		"<html>text-1: IIS 404.0, 12 bytes</html>", `{"`+strings.Repeat("x", 100_000)+`":1}`, `{"name":"`+strings.Repeat("n", 100_000)+`"}`, "grant_type=password&password=x")
	for i, way := range ways {
		failing := c.Clone()
		x := failing.Exchanges[at]
		x.Response.Code, x.Response.Status, x.Response.Body = 200, "200 OK", way
		for _, name := range []string{"Location", "Content-Type", "Server", "X-Ms-Diagnostics", "Set-Cookie", "Www-Authenticate", "X-" + "Way"} {
			x.Response.Headers[name] = []string{strings.ToValidUTF8(way[:min(len(way), 1000)], "?")}
		}
		for _, keeps := range []mask.Keeps{mask.Nothing, mask.Names} {
			m := mask.New(mask.Options{Keeps: keeps, Secrets: []string{way[:min(len(way), 200)]}})
			list, err := LocateMasked(failing, m)
			if err != nil {
				t.Errorf("way %d, %.50q: %v", i+1, way, err)
				continue
			}
			results, err := Examine(list[0])
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if r.Requirement == "set-presence.2.status" && r.Verdict != reports.Fail {
					t.Errorf("way %d, %.50q: %s is %s", i+1, way, r.Requirement, r.Verdict)
				}
			}
			if _, err := list[0].Recording.Encode(); err != nil {
				t.Errorf("way %d, %.50q: %v", i+1, way, err)
			}
		}
	}
	t.Logf("%d ways", len(ways))
}

// TestVote holds that where masked evidence shows another verdict than what was received that of what was received stands, and says so.
func TestVote(t *testing.T) {
	received, masked := locatedFrom(t, open(t, "reference/set-presence")), locatedFrom(t, open(t, "reference/set-presence"))
	at := slices.IndexFunc(received.Exchanges, func(x *Exchange) bool { return x.Part == partMake })
	broken := *received.Exchanges[at].Interaction
	broken.Response.Code = 500
	received.Exchanges[at].Interaction = &broken
	masked.received, masked.masker = received, mask.New(mask.Options{})
	results, err := Examine(masked)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Requirement != "set-presence.2.status" {
			continue
		}
		if r.Verdict != reports.Fail || !strings.Contains(r.Reason, "masked") || len(r.Evidence) == 0 || strings.Contains(r.Observed, "500") {
			t.Errorf("it is %+v", r)
		}
		return
	}
	t.Error("there is no such verdict")
}
