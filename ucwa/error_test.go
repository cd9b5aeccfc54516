package ucwa_test

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

const iisPage = `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<title>401 - Unauthorized: Access is denied
 due to invalid credentials.</title>
<style type="text/css">body{margin:0}</style>
</head>
<body><h1>Server Error</h1></body>
</html>`

func TestParseError(t *testing.T) {
	for _, test := range []struct {
		name    string
		status  int
		header  http.Header
		body    string
		want    ucwa.Error // without Status
		message string
	}{
		{"UCWA", 409, nil, `{"code":"Conflict","subcode":"MakeMeAvailableRequired","message":"Call makeMeAvailable first."}`,
			ucwa.Error{Code: "Conflict", Subcode: "MakeMeAvailableRequired", Message: "Call makeMeAvailable first."},
			`409 Conflict: Conflict/MakeMeAvailableRequired: "Call makeMeAvailable first."`},
		{"code alone", 404, nil, `{"code":"NotFound"}`, ucwa.Error{Code: "NotFound"}, "404 Not Found: NotFound"},
		{"byte order mark", 404, nil, "\xef\xbb\xbf{\"code\":\"NotFound\"}", ucwa.Error{Code: "NotFound"}, "404 Not Found: NotFound"},
		{"parameters", 400, nil, `{"code":"BadRequest","subcode":"ParameterValidationFailure","parameters":[
				{"name":"availability","reason":"no such value"},{"name":"x"},{"reason":"y"}]}`,
			ucwa.Error{Code: "BadRequest", Subcode: "ParameterValidationFailure",
				Parameters: []ucwa.Parameter{{Name: "availability", Reason: "no such value"}, {Name: "x"}, {Reason: "y"}}},
			`400 Bad Request: BadRequest/ParameterValidationFailure; parameter "availability": "no such value"; parameter "x": ""; parameter "": "y"`},
		{"members of other types", 400, nil, `{"code":"BadRequest","subcode":1,"message":null,"parameters":{"name":"x"}}`,
			ucwa.Error{Code: "BadRequest"}, "400 Bad Request: BadRequest"},
		{"parameters that are no objects", 400, nil, `{"code":"BadRequest","parameters":["x",null]}`,
			ucwa.Error{Code: "BadRequest", Parameters: []ucwa.Parameter{{}, {}}}, `400 Bad Request: BadRequest; parameter "": ""; parameter "": ""`},
		{"debug information", 500, nil, `{"code":"ServiceFailure","debugInfo":{"stack":["a","b"]}}`,
			ucwa.Error{Code: "ServiceFailure", DebugInfo: map[string]any{"stack": []any{"a", "b"}}}, "500 Internal Server Error: ServiceFailure"},
		{"diagnostics", 403, http.Header{"X-Ms-Diagnostics": {`28055;source="SE1.contoso.com";reason="Service does not allow a cross domain request from this origin."`}}, "",
			ucwa.Error{Diagnostics: `28055;source="SE1.contoso.com";reason="Service does not allow a cross domain request from this origin."`},
			`403 Forbidden; X-Ms-diagnostics: 28055;source="SE1.contoso.com";reason="Service does not allow a cross domain request from this origin."`},

		{"IIS", 401, nil, iisPage, ucwa.Error{Excerpt: "401 - Unauthorized: Access is denied due to invalid credentials."},
			`401 Unauthorized; not a UCWA error: "401 - Unauthorized: Access is denied due to invalid credentials."`},
		{"HTML without a title", 503, nil, "<h1>Down</h1>\r\n<p>Later", ucwa.Error{Excerpt: "<h1>Down</h1> <p>Later"},
			`503 Service Unavailable; not a UCWA error: "<h1>Down</h1> <p>Later"`},
		{"HTML with an empty title", 503, nil, "<title>\r\n</title><p>Down", ucwa.Error{Excerpt: "<title> </title><p>Down"},
			`503 Service Unavailable; not a UCWA error: "<title> </title><p>Down"`},
		{"HTML with a title in capitals", 500, nil, `<TITLE lang="en">Oh</TITLE>`, ucwa.Error{Excerpt: "Oh"}, `500 Internal Server Error; not a UCWA error: "Oh"`},
		{"empty", 502, nil, "", ucwa.Error{}, "502 Bad Gateway"},
		{"blanks", 502, nil, " \r\n", ucwa.Error{}, "502 Bad Gateway"},
		{"a status without a name", 499, nil, "", ucwa.Error{}, "499"},

		{"JSON without a code", 400, nil, `{"error":"invalid_grant"}`, ucwa.Error{Excerpt: `{"error":"invalid_grant"}`},
			`400 Bad Request; not a UCWA error: "{\"error\":\"invalid_grant\"}"`},
		{"JSON with a code that is null", 404, nil, `{"code":null}`, ucwa.Error{Excerpt: `{"code":null}`}, `404 Not Found; not a UCWA error: "{\"code\":null}"`},
		{"JSON with a code that is a number", 404, nil, `{"code":404}`, ucwa.Error{Excerpt: `{"code":404}`}, `404 Not Found; not a UCWA error: "{\"code\":404}"`},
		{"JSON with an empty code", 404, nil, `{"code":""}`, ucwa.Error{Excerpt: `{"code":""}`}, `404 Not Found; not a UCWA error: "{\"code\":\"\"}"`},
		{"a JSON list", 404, nil, `[{"code":"NotFound"}]`, ucwa.Error{Excerpt: `[{"code":"NotFound"}]`}, `404 Not Found; not a UCWA error: "[{\"code\":\"NotFound\"}]"`},
		{"a code twice", 404, nil, `{"code":"NotFound","code":"Gone"}`, ucwa.Error{Excerpt: `{"code":"NotFound","code":"Gone"}`},
			`404 Not Found; not a UCWA error: "{\"code\":\"NotFound\",\"code\":\"Gone\"}"`},
		{"JSON and more", 404, nil, `{"code":"NotFound"}x`, ucwa.Error{Excerpt: `{"code":"NotFound"}x`}, `404 Not Found; not a UCWA error: "{\"code\":\"NotFound\"}x"`},
		{"bytes that are no text", 500, nil, "a\xff\xfeb", ucwa.Error{Excerpt: "ab"}, `500 Internal Server Error; not a UCWA error: "ab"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want.Status = test.status
			got := ucwa.ParseError(test.status, test.header, []byte(test.body))
			if !reflect.DeepEqual(got, &test.want) {
				t.Errorf("got\n%+v\nwant\n%+v", *got, test.want)
			}
			if got.Error() != test.message {
				t.Errorf("got the message\n%s\nwant\n%s", got, test.message)
			}
		})
	}
}

func TestParseErrorOfASuccess(t *testing.T) {
	for _, status := range []int{100, 200, 204, 302, 399} {
		if err := ucwa.ParseError(status, nil, []byte(`{"code":"NotFound"}`)); err != nil {
			t.Errorf("%d is an error: %v", status, err)
		}
	}
	if ucwa.ParseError(400, nil, nil) == nil {
		t.Error("400 is no error")
	}
}

func TestErrorNamesTheRequest(t *testing.T) {
	err := &ucwa.Error{Method: "POST", URL: "https://lyncweb.contoso.com/me", Status: 409, Code: "Conflict"}
	if got, want := err.Error(), "POST https://lyncweb.contoso.com/me: 409 Conflict: Conflict"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExcerptIsShort(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"as long as may be", strings.Repeat("a", 200), strings.Repeat("a", 200)},
		{"longer", strings.Repeat("a", 201), strings.Repeat("a", 197) + "…"},
		{"cut within a letter", strings.Repeat("é", 101), strings.Repeat("é", 98) + "…"},
		{"a title far down", strings.Repeat(" ", 5000) + "<title>x</title>", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := ucwa.ParseError(500, nil, []byte(test.body)).Excerpt; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestHasSubcode(t *testing.T) {
	exists := &ucwa.Error{Status: 409, Code: ucwa.CodeConflict, Subcode: ucwa.SubcodeAlreadyExists}
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{"it has", exists, true},
		{"wrapped", fmt.Errorf("step 1: %w", exists), true},
		{"joined", errors.Join(errors.New("x"), exists), true},
		{"another", &ucwa.Error{Subcode: ucwa.SubcodePGetReplaced}, false},
		{"none", &ucwa.Error{}, false},
		{"another error", errors.New(ucwa.SubcodeAlreadyExists), false},
		{"nil", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := ucwa.HasSubcode(test.err, ucwa.SubcodeAlreadyExists); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// FuzzParseError: any body of any refusal gives an error that can be printed.
func FuzzParseError(f *testing.F) {
	for _, seed := range []struct {
		status int
		body   string
	}{
		{409, `{"code":"Conflict","subcode":"AlreadyExists","message":"x","parameters":[{"name":"a","reason":"b"},1],"debugInfo":{}}`},
		{401, iisPage}, {500, ""}, {400, `{"error":"invalid_grant"}`}, {404, `{"code":404}`}, {204, ""}, {499, "<title></title>"}, {503, "\xff\xfe<title>\xe9</title>"},
		{500, strings.Repeat("é", 150)}, {-1, "x"}, {400, "<title>" + strings.Repeat("𝄞", 60) + "</title>"},
	} {
		f.Add(seed.status, "28055;source=\"a\"", []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, status int, diagnostics string, body []byte) {
		e := ucwa.ParseError(status, http.Header{"X-Ms-Diagnostics": {diagnostics}}, body)
		if status < 400 {
			if e != nil {
				t.Fatalf("%d is an error: %v", status, e)
			}
			return
		}
		if e.Status != status || e.Diagnostics != diagnostics || e.Code != "" && e.Excerpt != "" {
			t.Fatalf("got %+v", *e)
		}
		if len(e.Excerpt) > 200 || !utf8.ValidString(e.Excerpt) {
			t.Fatalf("the excerpt has %d bytes: %q", len(e.Excerpt), e.Excerpt)
		}
		if e.Code == "" && e.Excerpt == "" && utf8.Valid(body) && len(body) <= 4096 && len(strings.Fields(string(body))) > 0 {
			t.Fatalf("nothing is told of the body %q", body)
		}
		if !strings.HasPrefix(e.Error(), fmt.Sprint(status)) {
			t.Fatalf("the message is %q", e)
		}
	})
}
