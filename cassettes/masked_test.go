package cassettes

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
)

// shown is an exchange with an identity of each kind.
func shown() Exchange {
	x := get("https://pool01.fabrikam.de/ucwa/oauth/v1/applications/10310350990/me", `{"name":"Quentin Zebrowski","uri":"sip:quentinz@fabrikam.de",`+
		`"number":"tel:+4930901820345","endpointId":"6f9619ff-8b86-4d01-b42d-00cf4fc964ff","title":"Chief Ophirist",`+
		`"onlineMeetingUri":"sip:quentinz@fabrikam.de;gruu;opaque=app:conf:focus:id:QZ7K9X2M",`+
		`"_embedded":{"note":{"message":"Gone to Ophir"}},"_links":{"self":{"href":"/ucwa/oauth/v1/applications/10310350990/me"}}}`)
	x.Request.Headers = http.Header{"Authorization": {"Bearer cwt=AAEBsecret"}}
	x.Response.Headers = http.Header{"X-Ms-Server-Fqdn": {"fe02.fabrikam.de"}, "Content-Type": {"application/json"}}
	return x
}

func TestMasked(t *testing.T) {
	c := tape(shown())
	before := c.Exchanges[0].clone()
	masked := c.Masked(mask.New(mask.Options{}))
	if was, is := string(encode(t, tape(before))), string(encode(t, c)); was != is {
		t.Error("the original was changed")
	}
	const want = `{"name":"Name-1 Name-2","uri":"sip:user-1@host-2.example.invalid","number":"tel:+9000000002",` +
		`"endpointId":"00000000-0000-4000-8000-000000000001","title":"Name-3 Name-4",` +
		`"onlineMeetingUri":"sip:user-1@host-2.example.invalid;gruu;opaque=app:conf:focus:id:ID-1",` +
		`"_embedded":{"note":{"message":"text-1xxxxxxx"}},"_links":{"self":{"href":"/ucwa/oauth/v1/applications/9000000001/me"}}}`
	got := masked.Exchanges[0]
	if got.Response.Body != want {
		t.Errorf("the body became\n%s\nexpected\n%s", got.Response.Body, want)
	}
	if u, err := url.Parse(got.Request.URL); err != nil || u.Host != "host-1.host-2.example.invalid" {
		t.Errorf("the URL became %s", got.Request.URL)
	}
	if fqdn := got.Response.Headers.Get("X-Ms-Server-Fqdn"); fqdn != "host-4.host-2.example.invalid" {
		t.Errorf("the server became %s", fqdn)
	}
	if r := masked.Provenance.Redaction; r.Version != mask.Version || len(r.Rules) != 3 {
		t.Errorf("the provenance says %+v", r)
	}
	for name, again := range map[string]*Cassette{"masked": masked.Masked(mask.New(mask.Options{})), "with names": masked.Masked(mask.New(mask.Options{Keeps: mask.Names})),
		"redacted": masked.Redacted()} {
		if !bytes.Equal(encode(t, again), encode(t, masked)) {
			t.Errorf("%s again, it changes:\n%s", name, encode(t, again))
		}
	}
}

// TestMaskedLengths holds that a length that was right stays right, and one that was wrong as wrong as it was.
func TestMaskedLengths(t *testing.T) {
	for _, by := range []int64{0, 3} {
		x := shown()
		was := int64(len(x.Response.Body))
		x.Response.ContentLength = was + by
		m := tape(x).Masked(mask.New(mask.Options{})).Exchanges[0]
		if is := int64(len(m.Response.Body)); is == was || m.Response.ContentLength != is+by {
			t.Errorf("of a body of %d bytes the length became %d, expected %d", is, m.Response.ContentLength, is+by)
		}
	}
}

// TestMaskedCompressed holds that a compressed body is masked as what is in it, and one that cannot be read as a whole.
func TestMaskedCompressed(t *testing.T) {
	bomb := strings.Repeat("\x00", MaxBody+1)
	for name, body := range map[string]string{"readable": zipped(t, shown().Response.Body), "too long": zipped(t, bomb), "within another": zipped(t, zipped(t, "Zebrowski")), "broken": zipped(t, "Zebrowski")[:20]} {
		x := shown()
		x.Response.Body = body
		x.Response.Headers.Set("Content-Encoding", "gzip")
		m := tape(x).Masked(mask.New(mask.Options{}))
		is := m.Exchanges[0].Response.Body
		if strings.Contains(string(encode(t, m)), "Zebrowski") || strings.HasPrefix(is, gzipMagic) || strings.HasPrefix(is, "{") != (name == "readable") {
			t.Errorf("%s: it became %.100q", name, is)
		}
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
