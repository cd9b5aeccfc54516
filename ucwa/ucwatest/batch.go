package ucwatest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

const (
	batchType = "multipart/batching"

	// maxParts is how many requests one batch may hold. Source: "Batch requests".
	maxParts = 100
)

// postBatch takes a request made of requests, and answers all of them, in order, in
// one answer. Each part is an HTTP message of its own, of type application/http.
// Source: "Batch requests" and the API reference, batch.
//
// What is wrong with the batch as a whole refuses it; what is wrong with one part is
// the answer to that part alone.
func postBatch(c *call) (answer, error) {
	parts, err := parseBatch(c.request.Header.Get("Content-Type"), c.body)
	if err != nil {
		return answer{}, err
	}
	return answer{batch: parts}, nil // later: they need the lock of the user themselves
}

// part is a request in a batch, or why it is none.
type part struct {
	request *http.Request
	body    []byte
	err     error
}

// isBatch tells whether a body is of the type that a batch has.
func isBatch(contentType string) bool {
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == batchType && parameters["boundary"] != ""
}

func parseBatch(contentType string, body []byte) ([]part, error) {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, notBatch(err)
	}
	reader := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	var parts []part
	for {
		p, err := reader.NextRawPart()
		switch {
		case errors.Is(err, io.EOF) && len(parts) == 0:
			return nil, notBatch(errors.New("it has no parts"))
		case errors.Is(err, io.EOF):
			return parts, nil
		case err != nil:
			return nil, notBatch(err)
		case len(parts) == maxParts:
			return nil, refuse(http.StatusTooManyRequests, "", "The batch has more than 100 parts; send them in several.")
		}
		content, err := io.ReadAll(p) // of a body that is bounded
		if err != nil {
			return nil, notBatch(err)
		}
		parts = append(parts, parsePart(p.Header, content))
	}
}

func notBatch(err error) *refusal {
	return refuse(http.StatusBadRequest, "DeserializationFailure", "The body is no batch of the boundary that Content-Type names: "+err.Error()+".")
}

// parsePart reads one part. Its body is what comes after the headers: a part ends
// where the multipart says, so Content-Length may be left out, but must be true.
func parsePart(header textproto.MIMEHeader, content []byte) part {
	bad := func(message string) part {
		return part{err: refuse(http.StatusBadRequest, "DeserializationFailure", message)}
	}
	mediaType, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if message, given := parameters["msgtype"]; err != nil || mediaType != "application/http" || given && message != "request" {
		return bad("The part is not of type application/http; msgtype=request.")
	}
	head, body, found := bytes.Cut(content, []byte("\r\n\r\n"))
	if !found {
		head, body = bytes.TrimRight(content, "\r\n"), nil
	}
	r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(bytes.NewReader(head), strings.NewReader("\r\n\r\n"))))
	switch {
	case err != nil:
		return bad("The part is no HTTP request.")
	case len(r.TransferEncoding) > 0:
		return bad("A part has no transfer coding.")
	case r.ContentLength > int64(len(body)):
		return bad("The part ends before its Content-Length.")
	case r.Header.Get("Content-Length") != "":
		if len(bytes.TrimSpace(body[r.ContentLength:])) > 0 {
			return bad("The part goes on after its Content-Length.")
		}
		body = body[:r.ContentLength]
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = nil // the line before the boundary
	}
	return part{request: r, body: body}
}

// answerBatch answers the parts one after the other.
func (c *call) answerBatch(parts []part) answer {
	var answers [][]byte
	for _, p := range parts {
		answers = append(answers, c.answerPart(p))
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	// A boundary made from all that it separates occurs in none of it.
	boundary := guid(string(bytes.Join(answers, nil)))
	if err := w.SetBoundary(boundary); err != nil {
		panic(err) // it is made of letters, digits and hyphens
	}
	for _, a := range answers {
		p, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/http; msgtype=response"}})
		if err == nil {
			_, err = p.Write(a)
		}
		if err != nil {
			panic(err) // a buffer takes everything
		}
	}
	_ = w.Close() // the same buffer
	return answer{status: http.StatusOK, mediaType: batchType + `; boundary="` + boundary + `"`, raw: b.Bytes()}
}

// answerPart has the server answer a part as if it had come alone, from the same
// client: who that is and where it comes from, only the batch itself can say.
func (c *call) answerPart(p part) []byte {
	answer := httptest.NewRecorder()
	err := p.err
	var r *http.Request
	if err == nil {
		r = p.request.WithContext(c.request.Context())
		r.Host, r.TLS = c.request.Host, c.request.TLS
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(p.body)), int64(len(p.body))
		for _, name := range []string{"Authorization", "X-Ms-Origin"} {
			r.Header[name] = c.request.Header.Values(name)
		}
		r.Header.Del("Cookie")
		r.Header.Del("Accept-Encoding")
		err = c.admitPart(r)
	}
	if err != nil {
		var no *refusal
		errors.As(err, &no) // no other errors are made here
		c.server.write(answer, c.request, no.answer(jsonType))
	} else {
		c.server.ServeHTTP(answer, r)
	}
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 " + strconv.Itoa(answer.Code) + " " + http.StatusText(answer.Code) + "\r\n")
	field := func(name string) {
		for _, value := range answer.Header()[name] {
			b.WriteString(wireName(name) + ": " + value + "\r\n")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(answer.Header())) {
		if !slices.Contains(ofWhole, name) && name != "Content-Type" {
			field(name)
		}
	}
	field("Content-Type") // last: clients take what comes after it for the body
	b.WriteString("\r\n")
	b.Write(answer.Body.Bytes())
	return b.Bytes()
}

// ofWhole are the header fields that an answer has and a part does not, as "Batch requests"
// prints them.
var ofWhole = []string{"Content-Length", "Date", "Server", "Vary", "X-Content-Type-Options", "X-Ms-Server-Fqdn"}

// admitPart refuses what a batch cannot hold: a request to anything but its own
// application, one that would be answered only when something happens, a photo, and
// another batch.
func (c *call) admitPart(r *http.Request) error {
	id, segments, found := locate(r.URL)
	_, path, _, _ := find(segments)
	switch {
	case !found || id != c.app.id:
		return refuse(http.StatusBadRequest, "", "The part asks for something that is not of this application.")
	case path == "/batch" || path == "/events" || strings.HasPrefix(path, photosPath):
		return refuse(http.StatusBadRequest, "", "A batch holds neither another batch, nor a photo, nor a GET on the event channel.")
	}
	return nil
}
