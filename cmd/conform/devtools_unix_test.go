//go:build unix

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// devtools records what a page sends, and what it is answered, as the network panel of a browser does: with the header
// fields that stood on the wire, which pages never see.
type devtools struct {
	mu      sync.Mutex
	order   []network.RequestID
	traffic map[network.RequestID]*traffic
}

// traffic is what DevTools tell of one request.
type traffic struct {
	request  *network.EventRequestWillBeSent
	sent     *network.EventRequestWillBeSentExtraInfo
	response *network.EventResponseReceived
	received *network.EventResponseReceivedExtraInfo
	end      cdp.MonotonicTime
}

// record begins to.
func record(t *testing.T, ctx context.Context) *devtools {
	t.Helper()
	d := &devtools{traffic: map[network.RequestID]*traffic{}}
	if err := chromedp.Listen(ctx, d.event); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *devtools) event(event any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := func(id network.RequestID) *traffic {
		if d.traffic[id] == nil {
			d.traffic[id] = &traffic{}
		}
		return d.traffic[id]
	}
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		at(e.RequestID).request = e
		if !slices.Contains(d.order, e.RequestID) {
			d.order = append(d.order, e.RequestID)
		}
	case *network.EventRequestWillBeSentExtraInfo: // before the one above, or after
		at(e.RequestID).sent = e
	case *network.EventResponseReceived:
		at(e.RequestID).response = e
	case *network.EventResponseReceivedExtraInfo:
		at(e.RequestID).received = e
	case *network.EventLoadingFinished:
		at(e.RequestID).end = e.Timestamp
	}
}

type object map[string]any // of JSON

// save writes all that was answered as a HAR.
func (d *devtools) save(t *testing.T, ctx context.Context, file string) {
	t.Helper()
	d.mu.Lock() // and not while DevTools are asked: events come before their answer
	order, all := slices.Clone(d.order), maps.Clone(d.traffic)
	d.mu.Unlock()
	entries := []object{}
	for _, id := range order {
		x := all[id]
		switch {
		case !strings.HasPrefix(x.request.Request.URL, "https:"):
			continue // data: is not sent
		case x.sent == nil || x.received == nil || x.response == nil || x.end == 0:
			t.Fatalf("%s %s: DevTools do not tell all: %+v", x.request.Request.Method, x.request.Request.URL, x)
		}
		body, err := chromedp.Call(ctx, network.GetResponseBody, network.GetResponseBodyParams{RequestID: id})
		if err != nil && x.response.Response.Status != http.StatusNoContent {
			t.Fatalf("%s: %v", x.request.Request.URL, err)
		}
		entries = append(entries, x.entry(body.Body))
	}
	har := object{"log": object{"version": "1.2", "creator": object{"name": "Chromium", "version": "DevTools"}, "entries": entries}}
	content, err := json.MarshalIndent(har, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (x *traffic) entry(body []byte) object {
	asked, answered := x.request.Request, x.response.Response
	version := strings.ToUpper(answered.Protocol)
	request := object{
		"method": asked.Method, "url": asked.URL, "httpVersion": version, "cookies": []object{}, "queryString": []object{},
		"headers": fields(x.sent.Headers), "headersSize": -1, "bodySize": 0,
	}
	if asked.HasPostData {
		var posted []byte
		for _, part := range asked.PostDataEntries {
			posted = append(posted, part.Bytes...)
		}
		request["bodySize"] = len(posted)
		request["postData"] = object{"mimeType": x.sent.Headers["Content-Type"], "text": string(posted)}
	}
	content := object{"size": len(body), "mimeType": answered.MimeType, "text": string(body)}
	if !utf8.Valid(body) {
		content["text"], content["encoding"] = base64.StdEncoding.EncodeToString(body), "base64"
	}
	milliseconds := func(from, to cdp.MonotonicTime) float64 { return (to.Float64() - from.Float64()) * 1000 }
	return object{
		"startedDateTime": time.UnixMicro(int64(x.request.WallTime.Float64() * 1e6)).UTC(),
		"time":            milliseconds(x.request.Timestamp, x.end),
		"request":         request,
		"response": object{
			"status": x.received.StatusCode, "statusText": answered.StatusText, "httpVersion": version, "cookies": []object{},
			"headers": fields(x.received.Headers), "redirectURL": "", "headersSize": -1, "bodySize": -1, "content": content,
		},
		"cache": object{},
		"timings": object{
			"send": 0, "wait": milliseconds(x.request.Timestamp, x.response.Timestamp), "receive": milliseconds(x.response.Timestamp, x.end),
		},
	}
}

// fields puts header fields in order; one that stood in several lines is several.
func fields(headers network.Headers) []object {
	list := []object{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for line := range strings.SplitSeq(fmt.Sprint(headers[name]), "\n") {
			list = append(list, object{"name": name, "value": line})
		}
	}
	return list
}
