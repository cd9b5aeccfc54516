package cassettes

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
)

// Clone returns a deep copy.
func (c *Cassette) Clone() *Cassette {
	copied := *c
	copied.Provenance = c.Provenance.clone()
	copied.Exchanges = make([]Exchange, 0, len(c.Exchanges))
	for _, x := range c.Exchanges {
		copied.Exchanges = append(copied.Exchanges, x.clone())
	}
	return &copied
}

// Masked returns a copy in which a Masker has replaced all that is not of the protocol. To mask again changes nothing. The provenance
// names the rules. It cannot fail: whatever stands in the recording, its verdicts can be had from what is left.
func (c *Cassette) Masked(m *mask.Masker) *Cassette {
	copied := c.Decompressed().Clone()
	copied.Exchanges = slices.DeleteFunc(copied.Exchanges, func(x Exchange) bool { return x.Interaction == nil }) // which say nothing
	for _, x := range copied.Exchanges {
		m.Reserve(x.Request.URL)
		m.Reserve(x.Request.Body)
		m.Reserve(x.Response.Body)
		for _, h := range []http.Header{x.Request.Headers, x.Response.Headers} {
			for _, values := range h {
				m.Reserve(strings.Join(values, " "))
			}
		}
	}
	for i := range copied.Exchanges {
		x := &copied.Exchanges[i]
		x.Failure = m.Interaction(x.Interaction, x.Failure)
	}
	copied.SHA256, copied.Provenance.SHA256 = "", "" // what the original had would show that it is the original
	copied.Name = m.Message(c.Name)                  // the name of a file is its owner's
	p := &copied.Provenance
	p.Tool, p.Server, p.Task, p.Ledger = m.Tool(p.Tool), m.Header("Server", p.Server), m.Task(p.Task), m.Task(p.Ledger)
	p.Source = m.Source(p.Source)
	for i := range p.Absent {
		p.Absent[i] = m.Task(p.Absent[i])
	}
	for i := range p.Repairs {
		p.Repairs[i] = m.Text(p.Repairs[i])
	}
	for _, text := range []*string{&p.Tool, &p.Server, &p.Source} {
		*text = m.Clean(*text)
	}
	if p.Redaction.Version != mask.Version {
		p.Redaction.Rules = nil
	}
	p.Redaction = Redaction{Version: mask.Version, Rules: m.Rules(p.Redaction.Rules...)}
	return copied
}

// Redacted returns a copy without its credentials, in which all else is as it was: see [mask.AllButSecret].
func (c *Cassette) Redacted() *Cassette {
	return c.Masked(mask.New(mask.Options{Keeps: mask.AllButSecret}))
}
