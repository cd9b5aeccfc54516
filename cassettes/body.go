package cassettes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
)

// parseJSON returns the value of a JSON text, with its numbers as they are written.
func parseJSON(text []byte) (any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return value, errors.Is(err, io.EOF)
}

func sameJSON(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, sameJSON)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameJSON)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(a.String(), b.String())
	}
	return a == b
}

// sameNumber takes 1, 1.0 and 1e0 as equal, but compares whole numbers by their digits: those of UCWA do not fit a float64.
func sameNumber(a, b string) bool {
	if a == b || !strings.ContainsAny(a+b, ".eE") {
		return a == b
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

// bodyDifferences says where two bodies that are not the same differ: by property if both are JSON objects, else by length
// and place. Secrets are not shown.
func bodyDifferences(recorded, sent []byte) []string {
	switch {
	case len(sent) == 0:
		return []string{fmt.Sprintf("body: recorded %d bytes, sent none", len(recorded))}
	case len(recorded) == 0:
		return []string{fmt.Sprintf("body: recorded none, sent %d bytes", len(sent))}
	}
	was, _ := parseJSON(recorded)
	is, _ := parseJSON(sent)
	wasObject, ok1 := was.(map[string]any)
	isObject, ok2 := is.(map[string]any)
	if !ok1 || !ok2 {
		at := 0
		for at < min(len(recorded), len(sent)) && recorded[at] == sent[at] {
			at++
		}
		return []string{fmt.Sprintf("body: recorded %d bytes, sent %d, first different at byte %d", len(recorded), len(sent), at+1)}
	}
	names := maps.Clone(wasObject)
	maps.Copy(names, isObject)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		w, inRecord := wasObject[name]
		s, inSent := isObject[name]
		if inRecord && inSent && sameJSON(w, s) {
			continue
		}
		list = append(list, fmt.Sprintf("body: %s: %s", shorten(strconv.Quote(name)),
			difference(showJSON(name, w, inRecord), showJSON(name, s, inSent))))
	}
	return list
}

// difference words one difference; what is empty is absent.
func difference(recorded, sent string) string {
	switch {
	case recorded == "":
		return "not recorded, sent " + sent
	case sent == "":
		return "recorded " + recorded + ", not sent"
	}
	return "recorded " + recorded + ", sent " + sent
}

func showJSON(name string, value any, present bool) string {
	if !present {
		return ""
	}
	if mask.IsSecret(name) {
		return "a secret"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return shorten(mask.Secrets(string(text)))
}
