package cassettes

import (
	"bytes"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var sumLine = regexp.MustCompile(`  sha256: .*\n`)

// unsummed returns the file of a cassette without its checksum, so that what is changed in it is not refused at once.
func unsummed(t testing.TB, c *Cassette) []byte { return sumLine.ReplaceAll(encode(t, c), nil) }

// bothWays reads a file as it is written here, and as YAML, and wants the same. It returns whether it was of our form.
func bothWays(t *testing.T, content []byte) bool {
	t.Helper()
	if _, list := ownFile(content); ownExchanges(list) == nil {
		return false
	}
	swift, swiftErr := (&loader{file: "tape.yaml"}).load(content)
	slow, slowErr := (&loader{file: "tape.yaml"}).loadYAML(content)
	if !reflect.DeepEqual(swiftErr, slowErr) {
		t.Fatalf("error %v, as YAML %v, of\n%.2000q", swiftErr, slowErr, content)
	}
	if !reflect.DeepEqual(swift, slow) {
		t.Fatalf("read differently than as YAML:\n%.2000q", content)
	}
	return true
}

// TestReadsItsOwnForm holds that what is written here is read without the reader of YAML, which is slow, and as that reads it.
func TestReadsItsOwnForm(t *testing.T) {
	for _, name := range Names() {
		content, err := embedded.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if !bothWays(t, content) {
			t.Errorf("%s is not in the form in which recordings are written", name)
		}
	}
	for _, s := range nasty {
		content := encode(t, tape(everywhere(s), failed(get("https://ucwa.example/", ""), "refused: "+s)))
		if short := len(s) < longestKey/8; bothWays(t, content) != short { // a longer key has another form
			t.Errorf("%.40q: of our form: %v, want %v", s, !short, short)
		}
	}
}

// TestReadsWhatIsNearlyItsOwnForm takes away and adds a byte at each place of a file: whoever edits it by hand gets what
// YAML makes of it, and its messages.
func TestReadsWhatIsNearlyItsOwnForm(t *testing.T) {
	c := tape(exchange("POST", "https://ucwa.example/a", "\"\\\r\n\té\u2028\U0001f600", 201, "\xff\xfe"))
	c.Exchanges[0].Request.TransferEncoding = []string{"chunked"}
	c.Exchanges[0].Response.Headers = map[string][]string{"A": nil, "B": {"b", "c"}}
	c.Provenance.Kind = "live"
	content := unsummed(t, c)
	for i := range content {
		for _, put := range []string{"", " ", "\n", "\r", `"`, `\`, "0", "-", "#", ":", "&", "\x00", "\u0085", "\ufeff", "\xff"} {
			bothWays(t, slices.Concat(content[:i], []byte(put), content[i:]))
			bothWays(t, slices.Concat(content[:i], []byte(put), content[i+1:]))
		}
	}
	for _, pair := range [][2]string{
		{"proto_major: 1", "proto_major: 01"}, {"proto_major: 1", "proto_major: 0x1"}, {"proto_major: 1", "proto_major: 1.0"},
		{"proto_major: 1", "proto_major: -0"}, {"proto_major: 1", "proto_major: 9223372036854775808"}, {`"0s"`, `"-1s"`}, {`"0s"`, `""`}, {`"0s"`, `"7"`},
		{"code: 201", "code: 99"}, {`"https://ucwa.example/a"`, `"/a"`}, {`"https://ucwa.example/a"`, `"%"`}, {`"POST"`, `""`},
		{`\u2028`, `\ud800`}, {`\u2028`, `\U00110000`}, {`\u2028`, `\x41`}, {`\u2028`, `\u202`}, {`\u2028`, `\u+028`}, {"uncompressed: false", "uncompressed: no"},
		{`"B":`, `"A":`}, {`"B":`, `"<<":`}, {`"B":`, `"` + strings.Repeat("B", 1100) + `":`}, {"version: 2", "version: 1"}, {"version: 2", "version: 2\nversion: 2"},
		{"conform:\n", "conform:\n  - |\n"}, {"conform:\n", "conform:\n  tool: \"\n"}, {"conform:\n", "conform:\n  tool: &a x\n"}, {"conform:\n", "---\nconform:\n"},
		{"version: 2", "...\nversion: 2"}, {"conform:\n", "conform:\n  version: 2\n"}, {"- id: 1", "- id: 1\n- id: 1"},
	} {
		if !bytes.Contains(content, []byte(pair[0])) {
			t.Fatalf("no %q in\n%s", pair[0], content)
		}
		bothWays(t, bytes.Replace(content, []byte(pair[0]), []byte(pair[1]), 1))
	}
}

func FuzzOwnForm(f *testing.F) {
	for _, s := range nasty {
		if len(s) < 100 {
			f.Add(unsummed(f, tape(everywhere(s))))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) { bothWays(t, content) })
}

// TestComparesWhatItReads changes each field of an exchange after it was written: none may be taken for what stands in the file.
func TestComparesWhatItReads(t *testing.T) {
	written := func() Exchange {
		x := everywhere("a\"\t\xff").clone() // which has maps of its own
		x.ID = 7
		x.Request.TransferEncoding, x.Response.TransferEncoding = []string{"chunked", "gzip"}, []string{"chunked"}
		x.Response.Code, x.Response.Duration = 200, 1500
		return x
	}
	reads := func(x Exchange, more ...byte) bool {
		var e emitter
		e.exchange(written())
		o := newOwnReader(append(e.yaml, more...))
		o.compare = true
		o.exchange(x)
		o.end()
		return !o.odd
	}
	if x := written(); !reads(x) || !reflect.DeepEqual(x, written()) {
		t.Fatal("what was written is not read as it is, or changed by reading")
	}
	if reads(written(), []byte("- id: 8\n")...) {
		t.Error("more stands in the file than was written, and is not seen")
	}
	changed := 0
	change := func(what string, set func(x Exchange)) {
		t.Helper()
		changed++
		x := written()
		if set(x); reads(x) {
			t.Errorf("%s was changed, and is taken for what stands in the file", what)
		}
	}
	change("the number", func(x Exchange) { x.ID++ })
	for _, part := range []string{"Request", "Response"} {
		message := func(x Exchange) reflect.Value { return reflect.ValueOf(x.Interaction).Elem().FieldByName(part) }
		for n := range message(written()).NumField() {
			field := message(written()).Type().Field(n)
			if !field.IsExported() {
				continue
			}
			place := func(x Exchange) reflect.Value { return message(x).Field(n) }
			name := part + "." + field.Name
			switch v := place(written()).Interface().(type) {
			case string:
				change(name, func(x Exchange) { place(x).SetString(v + "x") })
			case bool:
				change(name, func(x Exchange) { place(x).SetBool(!v) })
			case int, int64, time.Duration:
				change(name, func(x Exchange) { place(x).SetInt(place(x).Int() + 1) })
			case []string:
				change(name+", shorter", func(x Exchange) { place(x).Set(reflect.ValueOf(v[1:])) })
				change(name+", longer", func(x Exchange) { place(x).Set(reflect.ValueOf(append(slices.Clone(v), "x"))) })
				change(name+", other", func(x Exchange) { place(x).Index(0).SetString("x") })
			default: // the maps
				key := place(written()).MapKeys()[0]
				change(name+", less", func(x Exchange) { place(x).SetMapIndex(key, reflect.Value{}) })
				change(name+", more", func(x Exchange) { place(x).SetMapIndex(reflect.ValueOf("zz"), reflect.ValueOf([]string{"x"})) })
				change(name+", other", func(x Exchange) { place(x).SetMapIndex(key, reflect.ValueOf([]string{"x"})) })
			}
		}
	}
	if changed < 40 {
		t.Errorf("%d changes were tried, are fields missing?", changed)
	}
}

// TestReadsBackWhileWriting holds that a recording is read back also if its exchanges fill many blocks, some failed.
func TestReadsBackWhileWriting(t *testing.T) {
	var list []Exchange
	for n := range 1000 {
		x := get("https://ucwa.example/"+strings.Repeat("long/", n%50), strings.Repeat("\"\x00", n%100))
		if n%100 == 99 {
			x = failed(get("https://ucwa.example/", ""), "refused")
		}
		list = append(list, x)
	}
	c := tape(list...)
	for i := range c.Exchanges {
		c.Exchanges[i].ID = i + 1
	}
	content, proven := c.file(slices.DeleteFunc(slices.Clone(c.Exchanges), Exchange.failed))
	if !proven {
		t.Error("the exchanges are not read as they are")
	}
	read, err := Read("tape", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if c.Provenance.SHA256 != read.SHA256 || len(read.Exchanges) != len(list) {
		t.Errorf("%d exchanges with the sum %s, want %d with %s", len(read.Exchanges), read.SHA256, len(list), c.Provenance.SHA256)
	}
}
