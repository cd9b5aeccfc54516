package reports

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Repeat is how to send the request again on which a failure rests: by curl, as an .http file (REST Client of VS Code, HTTP Client of JetBrains),
// and by PowerShell. In place of each credential stands a variable: CONFORM_TOKEN for the token that most requests of the report show,
// CONFORM_OTHER_TOKEN for another, and for the field of a form a variable of its name, such as CONFORM_PASSWORD.
type Repeat struct {
	Curl       string `json:"curl"`
	HTTP       string `json:"http"`
	PowerShell string `json:"powershell"`
}

// repeats makes the Repeat of each failure of a report.
type repeats struct {
	exchanges map[int]*Exchange
	token     string // the placeholder of the token that most requests show
}

func (r *Report) repeats() *repeats {
	known := &repeats{exchanges: map[int]*Exchange{}}
	uses := map[string]int{}
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		known.exchanges[x.Number] = x
		if token := credential.FindString(canonical(x.Request.Headers).Get("Authorization")); token != "" {
			if uses[token]++; uses[token] > uses[known.token] {
				known.token = token
			}
		}
	}
	return known
}

// canonical returns the fields under the names that HTTP/1.1 has for them: those of a capture can be in lower case.
func canonical(fields map[string][]string) http.Header {
	h := http.Header{}
	for name, values := range fields {
		h[http.CanonicalHeaderKey(name)] = append(h[http.CanonicalHeaderKey(name)], values...)
	}
	return h
}

// credential is what is in a masked message in place of a token or a password.
var credential = regexp.MustCompile(`(?:cwt=)?REDACTED(?:-\d{1,6})?`)

// of returns how to repeat what a failure rests on, nil where the result is no failure, rests on no request, or on one that no line can send again as it
// was. It is made from the request each
// time, and never read from a report: a line to paste into a shell is not taken from a file.
func (known *repeats) of(result Result) *Repeat {
	if !result.broken() || len(result.Evidence) == 0 {
		return nil
	}
	x := known.exchanges[result.Evidence[0].Exchange]
	if x == nil || !methods.MatchString(x.Request.Method) {
		return nil
	}
	r := known.request(x)
	if r == nil {
		return nil
	}
	return &Repeat{Curl: r.curl(), HTTP: r.http(result.Requirement), PowerShell: r.powerShell()}
}

// line returns the line for curl, "" if there is none, or if a CI system would take a part of it for a command.
func (known *repeats) line(result Result) string {
	if again := known.of(result); again != nil && visible(again.Curl) == again.Curl {
		return again.Curl
	}
	return ""
}

var methods = regexp.MustCompile(`^[A-Z]{1,20}$`)

// request is what is sent again. The credentials in it are placeholders still.
type request struct {
	method, url string
	headers     [][2]string
	mediaType   string
	body        string
	apart       bool // the body fits into no line
	number      int
	signsIn     bool // by Windows credentials, not by a token
	token       string
}

// ownHeaders are set by whatever sends the request, or hold what this request alone had.
var ownHeaders = []string{"Host", "Content-Length", "Accept-Encoding", "Connection", "Transfer-Encoding", "Cookie", "Content-Type", "Te", "Upgrade", "Proxy-Authorization"}

const (
	maxLine    = 4 << 10 // bytes of a body that is part of a line
	maxRequest = 8 << 10 // bytes of all else: a line is written for each failure
)

func (known *repeats) request(x *Exchange) *request {
	u, err := url.Parse(x.Request.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsFunc(x.Request.URL, func(c rune) bool { return !printable(c) || c == ' ' }) {
		return nil
	}
	r := &request{method: x.Request.Method, number: x.Number, token: known.token, body: x.Request.Body, url: x.Request.URL}
	headers := canonical(x.Request.Headers)
	size := len(r.url)
	r.mediaType = headers.Get("Content-Type")
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for _, value := range headers[name] {
			switch {
			case slices.Contains(ownHeaders, name), strings.ContainsFunc(name+value, func(c rune) bool { return !printable(c) }), !fieldName.MatchString(name):
			case name == "Authorization" && credential.FindString(value) == value: // another tool left nothing of it
				r.headers = append(r.headers, [2]string{name, "Bearer " + value})
			case name == "Authorization" && !strings.HasPrefix(strings.ToLower(value), "bearer "):
				r.signsIn = true
			case name == "Authorization" && !credential.MatchString(value): // it was not masked, and is not repeated either
				r.headers = append(r.headers, [2]string{name, "Bearer REDACTED"})
			default:
				r.headers = append(r.headers, [2]string{name, value})
			}
			size += len(name) + len(value)
		}
	}
	if len(r.body) > maxLine || strings.ContainsFunc(r.body, func(c rune) bool { return !printable(c) }) {
		r.apart = true
	}
	if size > maxRequest || r.apart && credential.MatchString(r.body) {
		return nil
	}
	if strings.ContainsFunc(r.mediaType, func(c rune) bool { return !printable(c) }) {
		r.mediaType = ""
	}
	return r
}

var fieldName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// variable names the variable of a credential, which stands behind what is given, such as a field's name.
func (r *request) variable(placeholder, behind string) string {
	if field := fieldBefore.FindStringSubmatch(behind); field != nil {
		return "CONFORM_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(field[1]))
	}
	if placeholder == cmp.Or(r.token, placeholder) {
		return "CONFORM_TOKEN"
	}
	return "CONFORM_OTHER_TOKEN"
}

// fieldBefore finds the name of a field of a form in front of its value.
var fieldBefore = regexp.MustCompile(`(?:^|[?&])([A-Za-z0-9_.-]{1,40})=$`)

// filled writes a text with a variable in place of each credential.
func (r *request) filled(text string, plain func(string) string, variable func(string) string) string {
	var b strings.Builder
	end := 0
	for _, at := range credential.FindAllStringIndex(text, -1) {
		b.WriteString(plain(text[end:at[0]]))
		b.WriteString(variable(r.variable(text[at[0]:at[1]], text[:at[0]])))
		end = at[1]
	}
	return b.String() + plain(text[end:])
}

// word is a word of a POSIX shell.
func (r *request) word(text string) string {
	if text == "" {
		return "''"
	}
	return r.filled(text, func(s string) string {
		if s == "" {
			return ""
		}
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}, func(name string) string { return `"$` + name + `"` })
}

// isForm reports whether the body is a form, of which values are encoded.
func (r *request) isForm() bool {
	return strings.HasPrefix(strings.ToLower(r.mediaType), "application/x-www-form-urlencoded")
}

func (r *request) curl() string {
	words := []string{"curl", "-sS", "-i", "-g", "--path-as-is"} // brackets and dots of a path are sent as they are
	source := ""
	switch {
	case r.apart:
		source = fmt.Sprintf("jq -j '.exchanges[]|select(.number==%d).request.body' report.json | ", r.number)
		words = append(words, "--data-binary", "@-")
	case r.isForm() && credential.MatchString(r.body):
		for _, field := range strings.Split(r.body, "&") {
			if name, value, _ := strings.Cut(field, "="); credential.FindString(value) == value && value != "" && fieldBefore.MatchString(name+"=") {
				words = append(words, "--data-urlencode", r.word(field))
			} else {
				words = append(words, "--data-raw", r.word(field))
			}
		}
	case r.body != "" || r.method == http.MethodPost || r.method == http.MethodPut: // which say how long their body is, also where there is none
		words = append(words, "--data-raw", r.word(r.body))
	}
	switch {
	case r.method == http.MethodHead:
		words = append(words, "-I")
	case r.method != http.MethodGet || r.body != "":
		words = append(words, "-X", r.method)
	}
	for _, h := range r.headers {
		words = append(words, "-H", r.word(h[0]+": "+h[1]))
	}
	switch {
	case r.mediaType != "":
		words = append(words, "-H", r.word("Content-Type: "+r.mediaType))
	case slices.Contains(words, "--data-raw") || r.apart:
		words = append(words, "-H", "'Content-Type:'") // which curl would make a form's
	}
	if r.signsIn {
		words = append(words, "--anyauth", "-u", ":")
	}
	return source + strings.Join(append(words, r.word(r.url)), " ")
}

func (r *request) http(requirement string) string {
	fill := func(s string) string {
		return r.filled(s, func(s string) string { return s }, func(name string) string { return "{{" + name + "}}" })
	}
	lines := []string{"### " + argument(requirement)}
	for _, text := range slices.Concat([]string{r.url, r.mediaType, r.body}, each(r.headers, func(h [2]string) string { return h[1] })) {
		if strings.Contains(text, "{{") { // a server chooses what its links hold, and an editor would put the value of a variable there
			return lines[0] + "\n# An editor would replace what is in braces in this request: use the line for curl.\n"
		}
	}
	if r.isForm() && credential.MatchString(r.body) {
		lines = append(lines, "# The value of the variable in the form must be URL-encoded.")
	}
	if r.signsIn {
		lines = append(lines, "# Sign in as a Windows user: add an Authorization header that your editor knows.")
	}
	lines = append(lines, r.method+" "+fill(r.url))
	for _, h := range r.headers {
		lines = append(lines, h[0]+": "+fill(h[1]))
	}
	if r.mediaType != "" {
		lines = append(lines, "Content-Type: "+r.mediaType)
	}
	switch body := fill(r.body); {
	case r.apart, strings.HasPrefix(body, "<"), strings.HasPrefix(body, ">"), strings.HasPrefix(body, "###"):
		lines = append(lines, "", fmt.Sprintf("# Not here, as it would be read otherwise: the body is .exchanges[].request.body of exchange %d in report.json.", r.number))
	case body != "":
		lines = append(lines, "", body)
	}
	return strings.Join(lines, "\n") + "\n"
}

// quoted is an expression of PowerShell, for which five signs are a single quote.
func (r *request) quoted(text string) string {
	if !credential.MatchString(text) {
		return "'" + quotes.ReplaceAllString(text, "$0$0") + "'"
	}
	return "(" + strings.Join(slices.DeleteFunc(strings.Split(r.filled(text, func(s string) string {
		return "\x00'" + quotes.ReplaceAllString(s, "$0$0") + "'\x00"
	}, func(name string) string {
		if r.isForm() && text == r.body {
			return "[uri]::EscapeDataString($env:" + name + ")"
		}
		return "$env:" + name
	}), "\x00"), func(s string) bool { return s == "" || s == "''" }), " + ") + ")"
}

var quotes = regexp.MustCompile("['\u2018\u2019\u201a\u201b]")

func (r *request) powerShell() string {
	words := []string{"Invoke-WebRequest", "-UseBasicParsing", "-Method", r.method, "-Uri", r.quoted(r.url)}
	values := map[string][]string{} // a table has each name once
	for _, h := range r.headers {
		values[h[0]] = append(values[h[0]], h[1])
	}
	var headers []string
	for i, h := range r.headers {
		if i > 0 && r.headers[i-1][0] == h[0] {
			continue
		}
		value := r.quoted(strings.Join(values[h[0]], ", "))
		if h[0] == "User-Agent" { // which Windows PowerShell takes in no other way
			words = append(words, "-UserAgent", value)
			continue
		}
		headers = append(headers, r.quoted(h[0])+" = "+value)
	}
	if len(headers) > 0 {
		words = append(words, "-Headers", "@{ "+strings.Join(headers, "; ")+" }")
	}
	if r.mediaType != "" {
		words = append(words, "-ContentType", r.quoted(r.mediaType))
	}
	switch {
	case r.apart:
		words = append(words, "-Body", fmt.Sprintf("((Get-Content -Raw -Encoding utf8 report.json | ConvertFrom-Json).exchanges | Where-Object number -eq %d).request.body", r.number))
	case r.body != "":
		words = append(words, "-Body", r.quoted(r.body))
	}
	if r.signsIn {
		words = append(words, "-UseDefaultCredentials")
	}
	return strings.Join(words, " ")
}
