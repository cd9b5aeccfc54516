package ucwatest

import (
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
)

// Paths of the cross-domain frame, at every host: that of the xframe links, and the short one of Autodiscover. Both are
// taken in any casing, as IIS does.
const (
	framePath      = "/Autodiscover/XFrame/XFrame.html"
	shortFramePath = "/xframe"
)

// framePage lets a page of another origin, which embeds it and posts messages to it, ask this server: see its script.
// It holds no list of origins, since it says with each request for whom it is made, and [Server.admit] decides.
//
//go:embed xframe.html
var framePage string

// framePolicy allows the frame its own script and requests to its own origin, and nothing else. Any page may embed it:
// one of an origin that is not listed is told so, by the 403 that its first request gets, where an empty frame would
// leave its author to guess.
var framePolicy = sync.OnceValue(func() string {
	_, script, _ := strings.Cut(framePage, "<script>")
	script, _, _ = strings.Cut(script, "</script>")
	sum := sha256.Sum256([]byte(script))
	return "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors *"
})

func isFrame(r *http.Request) bool {
	return strings.EqualFold(r.URL.Path, framePath) || strings.EqualFold(r.URL.Path, shortFramePath)
}

// getFrame serves the page, to anyone who is admitted. Its address is the Referer of all that it asks.
func (s *Server) getFrame(r *http.Request) (answer, error) {
	if err := s.admit(r); err != nil {
		return answer{}, err
	}
	if r.Method != http.MethodGet {
		return answer{}, methodNotAllowed(methods{http.MethodGet: nil})
	}
	return answer{status: http.StatusOK, mediaType: "text/html" + utf8Charset, raw: []byte(framePage), header: http.Header{
		"Cache-Control":           {"public, max-age=3600"},
		"Content-Security-Policy": {framePolicy()},
		"Referrer-Policy":         {"same-origin"},
	}}, nil
}
