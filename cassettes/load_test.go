package cassettes

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// minimal is the least that loads.
const minimal = `version: 2
interactions:
- request: {method: GET, url: "https://ucwa.example/"}
  response: {code: 200}
`

// with returns minimal with one thing replaced.
func with(old, new string) string {
	if !strings.Contains(minimal, old) {
		panic(old)
	}
	return strings.Replace(minimal, old, new, 1)
}

var badFiles = []struct{ name, content, want string }{
	{"empty", "", "tape.yaml: is empty: record it again"},
	{"blank", " \n\n", "tape.yaml: is empty: record it again"},
	{"comment", "# nothing\n", "tape.yaml: has no content but comments: record it again"},
	{"cut off", minimal[:len(minimal)-2], "tape.yaml:3: is not YAML (did not find expected ',' or '}'), as if cut off or edited by hand: restore it or record it again"},
	{"binary", "\x00\x01\x02", "tape.yaml: is not YAML (control characters are not allowed), as if cut off or edited by hand: restore it or record it again"},
	{"list", "- 1\n", "tape.yaml:1: is no cassette: expected a mapping with version and interactions"},
	{"text", "hello\n", `tape.yaml:1: is no cassette: expected a mapping with version and interactions`},
	{"two documents", minimal + "---\n" + minimal, "tape.yaml:5: goes on after the end of its YAML document: a cassette is one document, remove the rest"},
	{"no version", with("version: 2\n", ""), "tape.yaml:1: version: is missing: expected 2, the format of go-vcr v3; is this a cassette?"},
	{"version 3", with("version: 2", "version: 3"), "tape.yaml:1: version: is 3: expected 2, the format of go-vcr v3; record it again"},
	{"version text", with("version: 2", "version: two"), `tape.yaml:1: version: expected 2, the format of go-vcr v3, found "two"`},
	{"no interactions", "version: 2\n", "tape.yaml:1: interactions: has no exchange, so there is nothing to replay or to judge: record it again"},
	{"null interactions", "version: 2\ninteractions:\n", "tape.yaml:2: interactions: has no exchange, so there is nothing to replay or to judge: record it again"},
	{"empty interactions", "version: 2\ninteractions: []\n", "tape.yaml:2: interactions: has no exchange, so there is nothing to replay or to judge: record it again"},
	{"interactions no list", "version: 2\ninteractions: {}\n", "tape.yaml:2: interactions: expected a list of exchanges, found a mapping"},
	{"null interaction", minimal + "- null\n", "tape.yaml:5: exchange 2: expected a mapping with request and response, found nothing: remove it or record again"},
	{"scalar interaction", minimal + "- 7\n", `tape.yaml:5: exchange 2: expected a mapping with request and response, found "7": remove it or record again`},
	{"no request", "version: 2\ninteractions:\n- response: {code: 200}\n", "tape.yaml:3: exchange 1: request: is missing: expected the recorded request; restore it or record the exchange again"},
	{"no response", "version: 2\ninteractions:\n- request: {method: GET, url: 'https://a.example'}\n", "tape.yaml:3: exchange 1: response: is missing: expected the recorded response; restore it or record the exchange again"},
	{"request no mapping", with(`{method: GET, url: "https://ucwa.example/"}`, "[]"), "tape.yaml:3: exchange 1: request: expected a mapping, found a list"},
	{"no method", with("method: GET, ", ""), "tape.yaml:3: exchange 1: request.method: is missing: expected the method of the request, such as GET; restore it or record the exchange again"},
	{"no url", with(`, url: "https://ucwa.example/"`, ""), "tape.yaml:3: exchange 1: request.url: is missing: expected the absolute URL of the request; restore it or record the exchange again"},
	{"no code", with("code: 200", "status: OK"), "tape.yaml:4: exchange 1: response.code: is missing: expected the status code of the response, such as 200; restore it or record the exchange again"},
	{"code text", with("200", "abc"), `tape.yaml:4: exchange 1: response.code: expected a whole number, found "abc"`},
	{"code list", with("200", "[200]"), `tape.yaml:4: exchange 1: response.code: expected a whole number, found a list`},
	{"code 20", with("200", "20"), "tape.yaml:4: exchange 1: response.code: is 20: expected a status code of three digits, such as 200"},
	{"url malformed", with("ucwa.example/", "ucwa.example/%zz"), `tape.yaml:3: exchange 1: request.url: is no URL: expected the absolute URL of the request`},
	{"url with a password that is none", with("ucwa.example/", "dana:hunter2/@ucwa.example/"), `tape.yaml:3: exchange 1: request.url: is no URL: expected the absolute URL of the request`},
	{"url relative, with a token", with("https://ucwa.example/", "/ucwa?access_token=hunter2"), `tape.yaml:3: exchange 1: request.url: is "/ucwa?access_token=REDACTED-1": expected an absolute URL, with scheme and host`},
	{"url relative", with("https://ucwa.example/", "/ucwa"), `tape.yaml:3: exchange 1: request.url: is "/ucwa": expected an absolute URL, with scheme and host`},
	{"body list", with("code: 200", "code: 200, body: [1]"), "tape.yaml:4: exchange 1: response.body: expected a string, found a list"},
	{"body not base64", with("code: 200", `code: 200, body: !!binary "?"`), "tape.yaml:4: exchange 1: response.body: is marked as !!binary but is not base64 (illegal base64 data at input byte 0): restore it or record the exchange again"},
	{"headers text", with("code: 200", "code: 200, headers: x"), `tape.yaml:4: exchange 1: response.headers: expected a mapping, found "x"`},
	{"header text", with("code: 200", "code: 200, headers: {Date: x}"), `tape.yaml:4: exchange 1: response.headers[Date]: expected a list of strings, found "x"`},
	{"header nested", with("code: 200", "code: 200, headers: {Date: [[x]]}"), `tape.yaml:4: exchange 1: response.headers[Date]: expected a string, found a list`},
	{"header twice", with("code: 200", "code: 200, headers: {Date: [x], Date: [y]}"), `tape.yaml:4: exchange 1: response.headers: has the key "Date" a second time: remove one of them`},
	{"duration number", with("code: 200", "code: 200, duration: 7"), `tape.yaml:4: exchange 1: response.duration: expected a duration, such as 100ms, found "7"`},
	{"duration below zero", with("code: 200", "code: 200, duration: -1ms"), `tape.yaml:4: exchange 1: response.duration: is -1ms: expected how long the answer took, such as 100ms, which is not less than zero`},
	{"header a token", with("code: 200", "code: 200, headers: {X-Foo: cwt=AAEB}"), `tape.yaml:4: exchange 1: response.headers[X-Foo]: expected a list of strings, found "cwt=REDACTED-1"`},
	{"uncompressed", with("code: 200", "code: 200, uncompressed: 7"), `tape.yaml:4: exchange 1: response.uncompressed: expected true or false, found "7"`},
	{"merge key", with("code: 200", "code: 200, headers: {<<: {a: [b]}}"), `tape.yaml:4: exchange 1: response.headers: has a YAML merge key: if "<<" is data, put it in quotes`},
	{"anchor", with("code: 200", "code: &c 200"), "tape.yaml:4: has a YAML anchor or alias, which go-vcr never writes: write the value out"},
	{"alias bomb", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n" + minimal, "tape.yaml:1: has a YAML anchor or alias, which go-vcr never writes: write the value out"},
	{"alias of itself", "a: &a [*a]\n" + minimal, "tape.yaml:1: has a YAML anchor or alias, which go-vcr never writes: write the value out"},
	{"nested", minimal + "x: " + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "\n", "tape.yaml:5: is nested deeper than 32, which no cassette is: restore it or record it again"},
	{"nested for ever", minimal + "x: " + strings.Repeat("[", 20_000), "tape.yaml:5: is not YAML (exceeded max depth of 10000), as if cut off or edited by hand: restore it or record it again"},
	{"conform text", "conform: x\n" + minimal, `tape.yaml:1: conform: expected a mapping, found "x"`},
	{"kind", "conform:\n  task: x\n  kind: bogus\n" + minimal, `tape.yaml:3: conform.kind: is "bogus": expected one of live, reference, documentation, capture; say where the recording comes from, or record it again`},
	{"recordedAt", "conform: {recordedAt: yesterday}\n" + minimal, `tape.yaml:1: conform.recordedAt: expected a time as in 2013-01-17T00:00:00Z, found "yesterday"`},
	{"redaction", "conform: {redaction: {version: x}}\n" + minimal, `tape.yaml:1: conform.redaction.version: expected a whole number, found "x"`},
	{"checksum", "conform:\n  sha256: abc\n" + minimal, "tape.yaml:2: conform.sha256: the recording was changed after it was made: the file says abc, it has " + minimalSum + "; restore it or record it again, or remove this line if the change was meant"},
	{"failure without a reason", "conform:\n  failures:\n  - {id: 2, request: {method: GET, url: 'https://a.example'}}\n" + minimal, "tape.yaml:3: exchange 1: conform.failures.failure: is missing: expected why the exchange failed; restore it or record the exchange again"},
	{"failure with a number taken", "conform:\n  failures:\n  - {id: 1, failure: x, request: {method: GET, url: 'https://a.example'}}\n" + minimal, "tape.yaml:3: conform.failures: the number 1 is taken or below 1: each exchange, answered or failed, has a number of its own"},
}

// TestReadOldFormat reads what go-vcr v1 and v2 write: no protocols, no lengths, and a duration that may be empty.
func TestReadOldFormat(t *testing.T) {
	const old = `---
version: 1
interactions:
- request:
    body: '{"availability":"Busy"}'
    form: {}
    headers:
      Content-Type:
      - application/json
    url: https://ucwa.example/ucwa/oauth/v1/applications/101/me/presence
    method: POST
  response:
    body: ""
    headers:
      Cache-Control:
      - no-cache
    status: 204 No Content
    code: 204
    duration: ""
`
	c, err := Read("old.yaml", strings.NewReader(old))
	if err != nil {
		t.Fatal(err)
	}
	x := c.Exchanges[0]
	if x.ID != 1 || x.Request.ContentLength != 23 || x.Request.ProtoMajor != 1 || x.Response.Code != 204 || x.Response.ContentLength != -1 || x.Response.Duration != 0 {
		t.Errorf("read as %+v", x.Interaction)
	}
	c.Provenance.Kind = "capture"
	content, err := c.Encode()
	if err != nil || !strings.Contains(string(content), "\nversion: 2\n") {
		t.Errorf("not written in the format of today: %v", err)
	}
}

const minimalSum = "bf92d85c15c1286ef9cc2c5bf3f045a313a3fe25c77597a46ed63661bfaeb9c8"

func TestReadRefuses(t *testing.T) {
	for _, test := range badFiles {
		t.Run(test.name, func(t *testing.T) {
			c, err := Read("tape.yaml", strings.NewReader(test.content))
			var problem *FileError
			if !errors.As(err, &problem) || c != nil {
				t.Fatalf("got %v and %v, want a *FileError", c, err)
			}
			if err.Error() != test.want {
				t.Errorf("got  %s\nwant %s", err, test.want)
			}
		})
	}
}

// endless is a file without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestReadIsBounded(t *testing.T) {
	var r endless
	_, err := Read("huge.yaml", &r)
	want := "huge.yaml: is larger than 128 MiB, the most that is read: record fewer exchanges into one file"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if r.read > 2*MaxFile {
		t.Errorf("%d bytes were read of a file that is too large", r.read)
	}
}

func TestReadFails(t *testing.T) {
	broke := errors.New("disk on fire")
	_, err := Read("tape.yaml", io.MultiReader(strings.NewReader(minimal), broken{broke}))
	if !errors.Is(err, broke) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

func TestReadAccepts(t *testing.T) {
	for name, content := range map[string]string{
		"minimal":                 minimal,
		"unknown keys":            "conform: {later: [1, {a: b}], kind: live}\nfuture: 1\n" + with("code: 200", "code: 200, x: {y: z}"),
		"nulls":                   "conform: ~\n" + with("code: 200", "code: 200, headers: ~, body: ~, duration: ~"),
		"one line of JSON":        `{"version":2,"interactions":[{"request":{"method":"GET","url":"https://ucwa.example/"},"response":{"code":200}}]}`,
		"CRLF":                    strings.ReplaceAll(minimal, "\n", "\r\n"),
		"byte order mark":         "\ufeff" + minimal,
		"document marks":          "---\n" + minimal + "...\n",
		"header value a number":   with("code: 200", "code: 200, headers: {Content-Length: [7]}"),
		"recordedAt unquoted":     "conform: {recordedAt: 2013-01-17T00:00:00Z}\n" + minimal,
		"duration with a unit":    with("code: 200", "code: 200, duration: 1.5ms"),
		"a quoted merge key":      with("code: 200", `code: 200, headers: {"<<": [a]}`),
		"a body that is not JSON": with("code: 200", `code: 200, body: "<html>"`),
	} {
		t.Run(name, func(t *testing.T) {
			if c := read(t, content); len(c.Exchanges) != 1 || c.Exchanges[0].Response.Code != 200 {
				t.Errorf("read as %+v", c)
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		name    string
		ids     []int
		numbers []int
	}{
		{"go-vcr's, from 0", []int{0, 1, 2}, []int{1, 2, 3}},
		{"ours, with gaps", []int{2, 3, 7}, []int{2, 3, 7}},
		{"twice", []int{1, 1, 2}, []int{1, 2, 3}},
		{"descending", []int{3, 2}, []int{1, 2}},
		{"none", []int{0, 0}, []int{1, 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var list []Exchange
			for _, id := range test.ids {
				x := get("https://ucwa.example/", "")
				x.ID = id
				list = append(list, x)
			}
			c := read(t, string(encode(t, &Cassette{Exchanges: list})))
			var got []int
			for _, x := range c.Exchanges {
				got = append(got, x.ID)
			}
			if !slices.Equal(got, test.numbers) || list[0].ID != test.ids[0] {
				t.Errorf("%v became %v, want %v", test.ids, got, test.numbers)
			}
		})
	}
}

func TestChecksum(t *testing.T) {
	c := tape(get("https://ucwa.example/", "text"), failed(get("https://ucwa.example/", ""), "refused"))
	c.Provenance.Kind = "capture"
	content := string(encode(t, c))
	sum := read(t, content).SHA256
	failures := regexp.MustCompile(`(?s)  failures:\n.*\n  covers`)
	for name, test := range map[string]struct {
		content string
		loads   bool
	}{
		"untouched":                 {content, true},
		"line ends of Windows":      {strings.ReplaceAll(content, "\n", "\r\n"), true},
		"a note in the provenance":  {strings.Replace(content, "conform:\n", "conform:\n  note: x\n", 1), false},
		"the kind":                  {strings.Replace(content, "capture", "live", 1), false},
		"the version":               {strings.Replace(content, "version: 2", "version: 1", 1), false},
		"what failed":               {failures.ReplaceAllString(content, "  covers"), false},
		"the checksum in its head":  {strings.Replace(content, "  covers: \"file\"\n", "", 1), false},
		"a body":                    {strings.Replace(content, `"text"`, `"test"`, 1), false},
		"an exchange at the end":    {content + minimal[strings.Index(minimal, "- "):], false},
		"a body, without checksum":  {strings.Replace(strings.Replace(content, `"text"`, `"test"`, 1), `  sha256: "`+sum+`"`, "  note: x", 1), true},
		"the checksum in uppercase": {strings.Replace(content, sum, strings.ToUpper(sum), 1), true},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read("tape.yaml", strings.NewReader(test.content)); (err == nil) != test.loads {
				t.Errorf("loads: %v (%v), want %v", err == nil, err, test.loads)
			}
		})
	}
}

// TestChecksumOfBefore reads a file whose checksum covers its interactions alone, as it was written before.
func TestChecksumOfBefore(t *testing.T) {
	before := "conform:\n  kind: live\n  sha256: " + minimalSum + "\n" + minimal
	c := read(t, before)
	if c.SHA256 != minimalSum || c.Provenance.SHA256 != minimalSum || c.Provenance.Covers != "" {
		t.Errorf("read with sum %s, the file says %s and covers %q", c.SHA256, c.Provenance.SHA256, c.Provenance.Covers)
	}
	if _, err := Read("tape.yaml", strings.NewReader(strings.Replace(before, "200", "201", 1))); err == nil {
		t.Error("a change of an answer is not seen")
	}
	again := read(t, string(encode(t, c)))
	if again.Provenance.Covers != "file" || again.SHA256 == minimalSum || again.SHA256 != again.Provenance.SHA256 {
		t.Errorf("written again it covers %q, with sum %s", again.Provenance.Covers, again.SHA256)
	}
}

// TestGaps holds that a recording of a task out of which an exchange was cut is refused, whether it was answered or failed, and that a
// part of a capture tells what it lacks.
func TestGaps(t *testing.T) {
	for _, test := range []struct {
		ids  []int
		gaps string
	}{{[]int{1, 2, 3}, ""}, {[]int{2, 3}, "1"}, {[]int{1, 3}, "2"}, {[]int{1, 4, 6, 10}, "2-3, 5, 7-9"}} {
		for _, task := range []string{"", "set-presence"} {
			c := &Cassette{Name: "tape", Provenance: Provenance{Task: task}}
			for i, id := range test.ids {
				x := get("https://ucwa.example/", "")
				if i%2 == 1 {
					x = failed(x, "refused")
				}
				x.ID = id
				c.Exchanges = append(c.Exchanges, x)
			}
			content, _ := c.file(slices.DeleteFunc(slices.Clone(c.Exchanges), Exchange.failed))
			read, err := Read("tape.yaml", bytes.NewReader(content))
			switch refused := task != "" && test.gaps != ""; {
			case refused && (err == nil || !strings.Contains(err.Error(), "the exchanges "+test.gaps+" are missing")):
				t.Errorf("%v of a task: %v", test.ids, err)
			case !refused && (err != nil || read.Gaps() != test.gaps):
				t.Errorf("%v of task %q: %v, with gaps %q", test.ids, task, err, c.Gaps())
			}
		}
	}
}

func TestOpen(t *testing.T) {
	if _, err := Open("no/such"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "documentation/set-presence") {
		t.Errorf("got %v, want fs.ErrNotExist with the names there are", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a directory was opened as a cassette")
	}
	if names := Names(); !slices.IsSorted(names) || !slices.Contains(names, "documentation/set-presence") {
		t.Errorf("embedded are %v", names)
	}
}
