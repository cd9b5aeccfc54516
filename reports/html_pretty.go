package reports

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

const (
	maxPretty    = 256 << 10 // a longer body is shown as it came, and cut
	deepestShown = 60        // a deeper body is shown as it came: its indentation would outgrow it
)

// bodyLine is a line of a body, with the path of the member that begins there, such as
// "_links.self", or "".
type bodyLine struct{ text, path string }

// bodyLines lays a body out for reading, a member a line: JSON, XML and forms as such,
// all else as it came. Nothing but the space between members is changed.
func bodyLines(body string) []bodyLine {
	trimmed := strings.TrimSpace(body)
	if trimmed == "" || len(body) > maxPretty {
		return asItCame(body)
	}
	var lines []bodyLine
	switch trimmed[0] {
	case '{', '[':
		lines = jsonLines(trimmed)
	case '<':
		lines = xmlLines(trimmed)
	default:
		lines = formLines(trimmed)
	}
	if lines == nil {
		return asItCame(body)
	}
	return lines
}

func asItCame(body string) []bodyLine {
	if body == "" {
		return nil
	}
	text := strings.ReplaceAll(shorten(body, htmlBodyRunes), "\r\n", "\n")
	return each(strings.Split(text, "\n"), func(s string) bodyLine { return bodyLine{text: s} })
}

// jsonLines indents JSON. What [json.Indent] writes has one member or one bracket a
// line, so that the lines tell where they stand.
func jsonLines(body string) []bodyLine {
	if depth(body) > deepestShown {
		return nil
	}
	var b bytes.Buffer
	if json.Indent(&b, []byte(body), "", "  ") != nil {
		return nil
	}
	type container struct {
		path    string
		members int // of an array; -1 in an object
	}
	var within []container
	var lines []bodyLine
	for line := range strings.SplitSeq(b.String(), "\n") {
		text := strings.TrimLeft(line, " ")
		if text[0] == '}' || text[0] == ']' {
			within = within[:len(within)-1]
			lines = append(lines, bodyLine{text: line})
			continue
		}
		path, value := "", text
		if n := len(within); n > 0 {
			name := ""
			if top := &within[n-1]; top.members >= 0 {
				name = strconv.Itoa(top.members)
				top.members++
			} else {
				name, value = memberOf(text)
			}
			path = strings.TrimPrefix(within[n-1].path+"."+name, ".")
		}
		switch value {
		case "{":
			within = append(within, container{path, -1})
		case "[":
			within = append(within, container{path, 0})
		}
		lines = append(lines, bodyLine{line, path})
	}
	return lines
}

// memberOf divides a line such as `"rel": "me",`.
func memberOf(line string) (name, value string) {
	end := 1
	for end < len(line) && line[end] != '"' {
		if line[end] == '\\' {
			end++
		}
		end++
	}
	if json.Unmarshal([]byte(line[:end+1]), &name) != nil {
		name = line[:end+1]
	}
	return name, strings.TrimPrefix(line[end+1:], ": ")
}

// depth is how deep the brackets of a JSON text nest.
func depth(body string) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '{' || c == '['):
			now++
			deepest = max(deepest, now)
		case !quoted && (c == '}' || c == ']'):
			now--
		}
	}
	return deepest
}

// xmlLines puts every element of an XML document on a line, as it stands in the body;
// nil if the body is not XML or has line breaks within its elements.
func xmlLines(body string) []bodyLine {
	type piece struct {
		token xml.Token
		raw   string
	}
	var pieces []piece
	d := xml.NewDecoder(strings.NewReader(body))
	for begin := int64(0); ; {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil
		}
		end := d.InputOffset()
		raw := strings.TrimSpace(body[begin:end])
		begin = end
		if strings.Contains(raw, "\n") {
			return nil
		}
		if _, text := token.(xml.CharData); !text || raw != "" {
			pieces = append(pieces, piece{xml.CopyToken(token), raw})
		}
	}
	var lines []bodyLine
	level := 0
	put := func(text string) { lines = append(lines, bodyLine{text: strings.Repeat("  ", level) + text}) }
	for i := 0; i < len(pieces); i++ {
		switch pieces[i].token.(type) {
		case xml.StartElement:
			text, ends := pieces[i].raw, -1
			for j := i + 1; j < min(i+3, len(pieces)); j++ { // an element without elements stays on its line
				if _, ok := pieces[j].token.(xml.EndElement); ok {
					ends = j
					break
				}
				if _, ok := pieces[j].token.(xml.CharData); !ok {
					break
				}
			}
			for ; i < ends; i++ {
				text += pieces[i+1].raw
			}
			put(text)
			if ends < 0 {
				if level++; level > deepestShown {
					return nil
				}
			}
		case xml.EndElement:
			if level--; level < 0 {
				return nil
			}
			put(pieces[i].raw)
		default:
			put(pieces[i].raw)
		}
	}
	return lines
}

// formLines puts every field of a form on a line.
func formLines(body string) []bodyLine {
	if strings.ContainsAny(body, " \t\r\n<>{}\"") || !strings.Contains(body, "=") {
		return nil
	}
	var lines []bodyLine
	for i, field := range strings.Split(body, "&") {
		name, _, ok := strings.Cut(field, "=")
		if !ok {
			return nil
		}
		if i > 0 {
			field = "&" + field
		}
		lines = append(lines, bodyLine{field, name})
	}
	return lines
}
