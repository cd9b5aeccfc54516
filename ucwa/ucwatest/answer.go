package ucwatest

import (
	"bytes"
	"compress/gzip"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const (
	jsonType    = "application/json"
	ucwaType    = "application/vnd.microsoft.com.ucwa+json"
	utf8Charset = "; charset=utf-8"
)

// answer is a response before it is written: what an operation decides, apart
// from how it travels.
type answer struct {
	status    int
	header    http.Header
	mediaType string // of the content; empty: as negotiated
	content   object // a resource or an error
	raw       []byte // or else these bytes
	held      *held  // or else this comes later,
	batch     []part // or else these are yet to be answered
}

func ok(content object) answer { return answer{status: http.StatusOK, content: content} }

func created(content object) answer { return answer{status: http.StatusCreated, content: content} }

func noContent() answer { return answer{status: http.StatusNoContent} }

// write sends the answer with the headers that every response carries.
func (s *Server) write(w http.ResponseWriter, r *http.Request, a answer) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache")
	}
	h.Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
	h.Set("Server", "ucwatest") // nobody may take this server for a real one
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Ms-Server-Fqdn", s.host)

	body := a.raw
	if a.content != nil {
		body = encode(a.content, a.mediaType)
	}
	if body == nil {
		w.WriteHeader(a.status)
		return
	}
	h.Set("Content-Type", a.mediaType)
	if !strings.HasPrefix(a.mediaType, "image/") {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header) {
			body = compress(body)
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // that the client has gone is no concern of ours
	}
}

func encode(content object, mediaType string) []byte {
	if isXML(strings.TrimSuffix(mediaType, utf8Charset)) {
		return inXML(content)
	}
	body, err := appendJSON(nil, content)
	if err != nil {
		panic(err) // resources hold strings, numbers, lists and objects only
	}
	return body
}

// compressors are used again: each is 800 KB.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func compress(body []byte) []byte {
	var b bytes.Buffer
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	z.Reset(&b)
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// resourceTypes are the media types of resources, the one that the server likes best first.
var resourceTypes = []string{jsonType, ucwaType, xmlType, ucwaXMLType}

// negotiate picks the media type of a resource.
func negotiate(h http.Header) string { return choose(h, resourceTypes) }

// choose picks the media type that the client likes best of those that the server
// has; empty if it takes none.
func choose(h http.Header, offers []string) string {
	ranges := weigh(h, "Accept")
	if len(ranges) == 0 {
		return offers[0]
	}
	best, most := "", 0.0
	for _, offer := range offers {
		kind, _, _ := strings.Cut(offer, "/")
		for _, r := range []string{offer, kind + "/*", "*/*"} { // the most specific range decides
			if q, listed := ranges[r]; listed {
				if q > most {
					best, most = offer, q
				}
				break
			}
		}
	}
	return best
}

// acceptsGzip tells whether the client takes gzip, and no less gladly than
// the body as it is.
func acceptsGzip(h http.Header) bool {
	codings := weigh(h, "Accept-Encoding")
	q, listed := codings["gzip"]
	if !listed {
		q, listed = codings["x-gzip"]
	}
	if !listed {
		q = codings["*"]
	}
	return q > 0 && q >= codings["identity"]
}

// weigh reads a header of the form "a, b;q=0.5": each value and its weight.
func weigh(h http.Header, name string) map[string]float64 {
	weights := map[string]float64{}
	for part := range strings.SplitSeq(strings.Join(h.Values(name), ","), ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		value, rest, _ := strings.Cut(part, ";")
		weights[strings.ToLower(strings.TrimSpace(value))] = weight(rest)
	}
	return weights
}

// weight is the q among a value's parameters; one that cannot be read counts
// as none: the client named the value, after all.
func weight(parameters string) float64 {
	_, p, err := mime.ParseMediaType("x/x;" + parameters)
	if err != nil {
		return 1
	}
	q, err := strconv.ParseFloat(p["q"], 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 1
	}
	return q
}
