package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// lineLog writes lines for a person. Whoever serves does not wait for it: where lines
// come faster than they can be written, some are left out, and it says how many.
type lineLog struct {
	lines chan string
	ended sync.WaitGroup

	mu   sync.Mutex
	shut bool
	lost int
}

func newLineLog(w io.Writer) *lineLog {
	l := &lineLog{lines: make(chan string, 1000)}
	l.ended.Go(func() {
		for line := range l.lines {
			if n := l.missed(); n > 0 {
				fmt.Fprintf(w, "… %d lines left out\n", n)
			}
			fmt.Fprintln(w, line)
		}
	})
	return l
}

func (l *lineLog) missed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.lost
	l.lost = 0
	return n
}

// tell adds a line. It is cleared of what a terminal would obey.
func (l *lineLog) tell(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return
	}
	select {
	case l.lines <- time.Now().Format("15:04:05 ") + reports.Legible(line):
	default:
		l.lost++
	}
}

// close writes what is left.
func (l *lineLog) close() {
	l.mu.Lock()
	l.shut = true
	close(l.lines)
	l.mu.Unlock()
	l.ended.Wait()
}

// exchangeLine is an exchange in a line: its number, whose it is, what was asked and what
// came of it. A query is not shown, nor a token.
func exchangeLine(number int, c *client, x cassettes.Exchange) string {
	who := cut(product(strings.Join(x.Request.Headers["User-Agent"], " ")), 22)
	if c != nil {
		who = cut(c.label(), 22)
	}
	result := fmt.Sprint(x.Response.Code)
	if x.Failure != "" {
		result = "—" // no answer, or not a whole one
	}
	return fmt.Sprintf("%5d  %-22s  %s  %-6s %s  %s", number, who, result, cut(x.Request.Method, 12), cut(shownPath(x.Request.URL), 100), resourceAt(x.Request.Method, x.Request.URL))
}

// label names a client in a few letters.
func (c *client) label() string {
	name := strings.TrimPrefix(c.User, "sip:")
	name, _, _ = strings.Cut(name, "@")
	if c.ID == "" {
		return name
	}
	return name + " …" + c.ID[max(0, len(c.ID)-4):]
}

// product is the first product of a User-Agent.
func product(agent string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(agent), " ")
	if first == "" {
		return "(no User-Agent)"
	}
	return first
}

// longestWord bounds what can be a word or an id in a path, and no token, in bytes.
const longestWord = 36

// shownPath is the path of a URL as a log may show it.
func shownPath(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "?"
	}
	segments := strings.Split(u.EscapedPath(), "/")
	for i, segment := range segments {
		plain := segment
		for range 3 { // it may be coded again
			if decoded, err := url.PathUnescape(plain); err == nil {
				plain = decoded
			}
		}
		if strings.Contains(strings.ToLower(plain), "cwt") || len(plain) > longestWord {
			segments[i] = "…"
		}
	}
	return strings.Join(segments, "/")
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-3], "") + "…"
}

// resourceAt says in words what is asked, by the paths of the reference server.
func resourceAt(method, text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	id, below := applicationIn(u.Path)
	switch {
	case id != "" && below == "" && method == "DELETE":
		return "end of the application"
	case id != "" && below == "":
		return "application"
	case id != "":
		return below[strings.LastIndex(below, "/")+1:]
	}
	for _, known := range []struct{ suffix, words string }{
		{"/applications", "applications: create one"}, {"/user", "user resource"}, {"/oauthtoken", "token"}, {"/root", "Autodiscover"},
		{"/xframe", "cross-domain frame"}, {"/xframe.html", "cross-domain frame"},
	} {
		if strings.HasSuffix(strings.ToLower(u.Path), known.suffix) {
			return known.words
		}
	}
	if strings.Trim(u.Path, "/") == "" {
		return "Autodiscover"
	}
	return ""
}
