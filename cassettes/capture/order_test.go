package capture

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// sessionOfAClient is the traffic of a client: each request, the token that it carries, and the answer, of which the
// file keeps the body.
var sessionOfAClient = []struct {
	method, url, token, answer string
	status                     int
}{
	{"GET", "https://lyncdiscover.contoso.com/", "", `{"_links":{"self":{"href":"/x"},"user":{"href":"https://p.example/autodiscover/autodiscoverservice.svc/root/user"},"xframe":{"href":"/f"}}}`, 200},
	{"POST", "https://p.example/webticket/oauthtoken", "", `{"access_token":"cwt=AAEBx"}`, 200},
	{"GET", "https://p.example/autodiscover/autodiscoverservice.svc/root/user", "cwt=AAEBx", `{"_links":{"applications":{"href":"https://p.example/ucwa/oauth/v1/applications"}}}`, 200},
	{"POST", "https://p.example/ucwa/oauth/v1/applications", "cwt=AAEBx", `{"_links":{"self":{"href":"/ucwa/oauth/v1/applications/7"},"events":{"href":"/ucwa/oauth/v1/applications/7/events?ack=1"}},"_embedded":{"me":{"_links":{"makeMeAvailable":{"href":"/ucwa/oauth/v1/applications/7/me/makeMeAvailable"}}}}}`, 201},
	{"POST", "https://p.example/ucwa/oauth/v1/applications/7/me/makeMeAvailable", "cwt=AAEBx", ``, 204},
	{"GET", "https://p.example/ucwa/oauth/v1/applications/7", "cwt=AAEBx", `{"_links":{"events":{"href":"/ucwa/oauth/v1/applications/7/events?ack=1"}},"_embedded":{"me":{"_links":{"presence":{"href":"/ucwa/oauth/v1/applications/7/me/presence"},"reportMyActivity":{"href":"/ucwa/oauth/v1/applications/7/me/reportMyActivity"}}}}}`, 200},
	{"GET", "https://p.example/ucwa/oauth/v1/applications/7/events?ack=1", "cwt=AAEBx", `{"_links":{"self":{"href":"events?ack=1"},"next":{"href":"/ucwa/oauth/v1/applications/7/events?ack=2"}}}`, 200},
	{"POST", "https://p.example/ucwa/oauth/v1/applications/7/me/presence", "cwt=AAEBx", ``, 204},
	{"GET", "https://p.example/ucwa/oauth/v1/applications/7/events?ack=2", "cwt=AAEBx", `{"_links":{"self":{"href":"events?ack=2"},"next":{"href":"/ucwa/oauth/v1/applications/7/events?ack=3"}}}`, 200},
	{"DELETE", "https://p.example/ucwa/oauth/v1/applications/7", "cwt=AAEBx", ``, 204},
	{"GET", "https://p.example/ucwa/oauth/v1/applications/7", "cwt=AAEBx", `{"code":"NotFound","subcode":"ApplicationNotFound"}`, 404},
}

// harOf writes the session with the given start times and durations, its entries in the given order.
func harOf(started func(i int) string, took func(i int) int, order []int) string {
	var entries []string
	for _, i := range order {
		x := sessionOfAClient[i]
		headers := "[]"
		if x.token != "" {
			headers = fmt.Sprintf(`[{"name":"Authorization","value":"Bearer %s"}]`, x.token)
		}
		entries = append(entries, fmt.Sprintf(`{"startedDateTime":%q,"time":%d,"request":{"method":%q,"url":%q,"headers":%s},"response":{"status":%d,"headers":[],"content":{"size":%d,"text":%q}}}`,
			started(i), took(i), x.method, x.url, headers, x.status, len(x.answer), x.answer))
	}
	return harHead + strings.Join(entries, ",") + harTail
}

// TestOrder holds that a session is put in the order in which it happened, whatever its tool did to times and entries.
func TestOrder(t *testing.T) {
	n := len(sessionOfAClient)
	inFile := make([]int, n)
	for i := range inFile {
		inFile[i] = i
	}
	at := func(i int) string { return fmt.Sprintf("2026-03-02T09:15:00.%03dZ", 10*i+1) }
	instant := func(int) string { return "2026-03-02T09:15:00Z" }
	quick := func(int) int { return 5 }
	for name, test := range map[string]struct {
		started func(i int) string
		took    func(i int) int
		shuffle bool
		note    string
	}{
		"as it was":                           {at, quick, false, ""},
		"shuffled":                            {at, quick, true, ""},
		"durations that count a handshake in": {at, func(i int) int { return 400 * ((i + 1) % 3) }, true, ""},
		"whole seconds":                       {instant, quick, false, "same time"},
		"whole seconds, shuffled":             {instant, quick, true, "same time"},
		"no times, shuffled":                  {func(int) string { return "" }, quick, true, "no time of the file can be read"},
		"the year 1":                          {func(int) string { return "0001-01-01T00:00:00Z" }, quick, false, "no time of the file can be read"},
		"1970 here and there": {func(i int) string {
			if i%3 == 1 {
				return "1970-01-01T00:00:00Z"
			}
			return at(i)
		}, quick, false, "cannot be read"},
		"a token of the future": {func(i int) string {
			if i == 1 {
				return "2026-03-02T11:00:00.5Z"
			}
			return at(i)
		}, quick, false, "cause and effect"},
		"an application of the future": {func(i int) string {
			if i == 3 {
				return "2026-03-02T11:00:00.5Z"
			}
			return at(i)
		}, quick, true, "cause and effect"},
	} {
		for seed := range uint64(20) {
			order := append([]int{}, inFile...)
			if test.shuffle {
				rand.New(rand.NewPCG(seed, 1)).Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
			}
			c := readString(t, harOf(test.started, test.took, order))
			if len(c.Exchanges) != n {
				t.Fatalf("%s, seed %d: %d exchanges, expected %d", name, seed, len(c.Exchanges), n)
			}
			where := map[string]int{}
			for i, x := range c.Exchanges {
				where[fmt.Sprint(x.Request.Method, " ", x.Request.URL, " ", x.Response.Code)] = i
			}
			place := func(i int) int {
				x := sessionOfAClient[i]
				return where[fmt.Sprint(x.method, " ", x.url, " ", x.status)]
			}
			for _, pair := range [][2]int{{0, 2}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {3, 6}, {6, 8}, {4, 7}, {8, 9}, {7, 9}, {5, 9}, {9, 10}} {
				if place(pair[0]) >= place(pair[1]) {
					t.Errorf("%s, seed %d: %v stands behind %v", name, seed, sessionOfAClient[pair[0]].url, sessionOfAClient[pair[1]].url)
				}
			}
			if notes := strings.Join(c.Notes, "\n"); !strings.Contains(notes, test.note) || test.note == "" && notes != "" {
				t.Errorf("%s: notes %q, expected %q", name, notes, test.note)
			}
		}
	}
}

// TestOrderOfACircle holds that two exchanges which quote each other are kept both, in the order of their times.
func TestOrderOfACircle(t *testing.T) {
	entry := func(second int, carried, issued string) string {
		return fmt.Sprintf(`{"startedDateTime":"2026-03-02T09:15:0%d.5Z","request":{"method":"GET","url":"https://p.example/ucwa/%d","headers":[{"name":"authorization","value":"bearer %s"}]},"response":{"status":200,"headers":[],"content":{"text":"{\"access_token\":\"%s\"}"}}}`, second, second, carried, issued)
	}
	c := readString(t, harHead+entry(2, "cwt=AAEBb", "cwt=AAEBa")+","+entry(1, "cwt=AAEBa", "cwt=AAEBb")+harTail)
	if len(c.Exchanges) != 2 || !strings.HasSuffix(c.Exchanges[0].Request.URL, "/1") {
		t.Errorf("%v", lines(c))
	}
}
