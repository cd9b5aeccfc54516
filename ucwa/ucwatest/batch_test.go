package ucwatest_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// batchOf is the body of a batch of these requests, with the boundary x.
func batchOf(requests ...string) string {
	var b strings.Builder
	for _, r := range requests {
		b.WriteString("--x\r\nContent-Type: application/http; msgtype=request\r\n\r\n" + r + "\r\n")
	}
	return b.String() + "--x--\r\n"
}

func (a *app) batch(body string, headers ...string) *reply {
	return a.do("POST", "/batch", body, append([]string{"Content-Type", "multipart/batching;boundary=x", "Accept", "multipart/batching"}, headers...)...)
}

// parts are the answers in an answer.
func (r *reply) parts() (list []*http.Response, bodies []string) {
	r.Helper()
	mediaType, parameters, err := mime.ParseMediaType(r.wants(200).Header().Get("Content-Type"))
	if err != nil || mediaType != "multipart/batching" {
		r.Fatalf("%s: %q, %v", r.asked, r.Header().Get("Content-Type"), err)
	}
	reader := multipart.NewReader(r.Body, parameters["boundary"])
	for {
		p, err := reader.NextPart()
		if err == io.EOF {
			return list, bodies
		}
		if err != nil {
			r.Fatal(err)
		}
		if got := p.Header.Get("Content-Type"); got != "application/http; msgtype=response" {
			r.Errorf("part of type %q", got)
		}
		answer, err := http.ReadResponse(bufio.NewReader(p), nil)
		if err != nil {
			r.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			r.Fatal(err)
		}
		list, bodies = append(list, answer), append(bodies, string(body))
	}
}

func TestBatch(t *testing.T) {
	a := newWorld(t).dana(true)
	get := func(path string) string {
		return "GET " + a.href + path + " HTTP/1.1\r\nHost: lyncweb.contoso.com\r\nAccept: application/json\r\n\r\n"
	}
	post := func(path, body string, headers ...string) string {
		return "POST " + a.href + path + " HTTP/1.1\r\nContent-Type: application/json\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n" + body
	}
	lene := a.create(a.server.AddUser(ucwatest.User{URI: "lene@contoso.com"}), 1)
	want := []struct {
		request string
		status  int
		holds   string
	}{
		{get("/me"), 200, `"rel":"me"`},
		{post("/me/presence", `{"availability":"Busy"}`), 204, ""},
		{get("/me/presence"), 200, `"Busy"`}, // in order
		{post("/me/presence", `{"availability":"Away"}`, "Content-Length: 23"), 204, ""},
		{post("/me/presence", `{"availability":"Awry"}`), 400, `"ParameterValidationFailure"`},
		{get("/nothing"), 404, `"NotFound"`},
		{"GET " + a.href + "/me HTTP/1.1\r\nAccept: application/xml\r\n\r\n", 200, `<resource rel="me"`},
		{"GET " + a.href + "/me HTTP/1.1", 200, `"rel":"me"`},
		{"GET https://lyncweb.contoso.com" + a.href + "/me HTTP/1.1\r\n\r\n", 200, `"rel":"me"`},
		{"GET " + a.href + "/me HTTP/1.1\r\nAuthorization: Bearer nonsense\r\nX-Ms-Origin: nonsense\r\n\r\n", 200, `"rel":"me"`},
		// Bad ones, each refused in its place.
		{get("/events?ack=1"), 400, "event channel"},
		{get("/%65vents?ack=1"), 400, "event channel"},
		{post("/batch", ""), 400, "another batch"},
		{post("/Batch", ""), 400, "another batch"},
		{get("/photos/" + dana.Email), 400, "a photo"},
		{"GET " + lene.href + "/me HTTP/1.1\r\n\r\n", 400, "not of this application"},
		{"GET " + root + " HTTP/1.1\r\n\r\n", 400, "not of this application"},
		{"GET / HTTP/1.1\r\n\r\n", 400, "not of this application"},
		{"garbage", 400, "no HTTP request"},
		{"", 400, "no HTTP request"},
		{post("/me/note", `{}`, "Content-Length: 9"), 400, "before its Content-Length"},
		{post("/me/note", `{}{}`, "Content-Length: 2"), 400, "after its Content-Length"},
		{post("/me/note", `{}`, "Content-Length: -2"), 400, "no HTTP request"},
		{post("/me/note", "2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), 400, "transfer coding"},
		{get("/me/presence"), 200, `"Away"`},
	}
	var requests []string
	for _, w := range want {
		requests = append(requests, w.request)
	}
	answers, bodies := a.batch(batchOf(requests...)).parts()
	if len(answers) != len(want) {
		t.Fatalf("%d parts, want %d", len(answers), len(want))
	}
	for i, w := range want {
		if answers[i].StatusCode != w.status || !strings.Contains(bodies[i], w.holds) {
			t.Errorf("%q: %d %s, want %d and %s", w.request, answers[i].StatusCode, bodies[i], w.status, w.holds)
		}
	}
	// A part is as the document prints it.
	raw := a.batch(batchOf(get("/me"), post("/me/note", `{"message":"x"}`)), "Accept", "application/json", "Accept-Encoding", "gzip").wants(200)
	_, boundary, _ := strings.Cut(raw.Header().Get("Content-Type"), `multipart/batching; boundary=`)
	if boundary = strings.Trim(boundary, `"`); !guid.MatchString(boundary) {
		t.Errorf("Content-Type %q", raw.Header().Get("Content-Type"))
	}
	head := "--" + boundary + "\r\nContent-Type: application/http; msgtype=response\r\n\r\nHTTP/1.1 "
	whole := head + "200 OK\r\nCache-Control: no-cache\r\nContent-Type: application/json; charset=utf-8\r\n\r\n" + a.get("/me").Body.String() +
		"\r\n" + head + "204 No Content\r\nCache-Control: no-cache\r\n\r\n\r\n--" + boundary + "--\r\n"
	z, err := gzip.NewReader(raw.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != whole {
		t.Errorf("%v\ngot  %q\nwant %q", err, got, whole)
	}
	// The last of it all: what comes after in the same batch is gone.
	answers, _ = a.batch(batchOf("DELETE "+a.href+" HTTP/1.1\r\n\r\n", get("/me"))).parts()
	if answers[0].StatusCode != 204 || answers[1].StatusCode != 404 {
		t.Errorf("%v", answers)
	}
}

func TestBatchesThatAreNone(t *testing.T) {
	a := newWorld(t).dana(true)
	get := "GET " + a.href + "/me HTTP/1.1\r\n\r\n"
	hundred := make([]string, 100)
	for i := range hundred {
		hundred[i] = get
	}
	if answers, _ := a.batch(batchOf(hundred...)).parts(); len(answers) != 100 {
		t.Errorf("%d answers", len(answers))
	}
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
	}{
		"too many":        {batchOf(append(hundred, get)...), nil, 429},
		"none":            {"--x--\r\n", nil, 400},
		"empty":           {"", nil, 400},
		"no end":          {strings.TrimSuffix(batchOf(get), "--x--\r\n"), nil, 400},
		"another":         {strings.ReplaceAll(batchOf(get), "--x", "--y"), nil, 400},
		"too large":       {batchOf(get + strings.Repeat("x", 1<<20)), nil, 413},
		"no boundary":     {batchOf(get), []string{"Content-Type", "multipart/batching"}, 415},
		"another type":    {batchOf(get), []string{"Content-Type", "multipart/mixed;boundary=x"}, 415},
		"JSON":            {`{}`, []string{"Content-Type", "application/json"}, 415},
		"without a token": {batchOf(get), []string{"Authorization", ""}, 401},
	} {
		if r := a.batch(c.body, c.headers...); r.Code != c.status {
			t.Errorf("%s: %d %s", name, r.Code, r.Body)
		}
	}
	a.batch(batchOf(get), "Accept", "multipart/*;q=0.5, text/html").parts()
	a.batch(batchOf(get), "Accept", "").parts()
	// A part of another type is refused in its place.
	answers, _ := a.batch(strings.Replace(batchOf(get, get), "application/http; msgtype=request", "text/plain", 1)).parts()
	if answers[0].StatusCode != 400 || answers[1].StatusCode != 200 {
		t.Errorf("%v", answers)
	}
}

// FuzzBatch sends what it likes as a batch of which one part is in order: it is
// refused as a whole, or answered part by part, and nothing else.
func FuzzBatch(f *testing.F) {
	get := "GET " + root + "/101/me HTTP/1.1\r\n\r\n"
	f.Add("x", batchOf(get, get))
	f.Add("x", batchOf("POST "+root+"/101/me/note HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add("x", batchOf("GET "+root+"/101/events?ack=1 HTTP/1.1\r\n\r\n", "POST "+root+"/101/batch HTTP/1.1\r\n\r\n"))
	f.Add("--", "----\r\n\r\n\r\n------")
	f.Fuzz(func(t *testing.T, boundary, body string) {
		w := &world{T: t, server: ucwatest.New(ucwatest.Config{Clock: ucwatest.NewManualClock(start), IDs: counter()})}
		a := w.create(w.server.AddUser(dana), 0)
		a.makeAvailable("")
		r := a.batch(body, "Content-Type", "multipart/batching;boundary="+boundary)
		if r.Code != 200 {
			if r.Code < 400 || r.Code >= 500 || !json.Valid(r.Body.Bytes()) {
				t.Errorf("%d %s", r.Code, r.Body)
			}
			return
		}
		all := bytes.Clone(r.Body.Bytes())
		answers, _ := r.parts()
		for _, answer := range answers {
			if answer.StatusCode >= 500 {
				t.Errorf("%d in %s", answer.StatusCode, all)
			}
		}
		if len(answers) == 0 || len(answers) > 100 {
			t.Errorf("%d answers", len(answers))
		}
	})
}
