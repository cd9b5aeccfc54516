package cassettes

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// chunk is a part of a text that is something else in base64 or in hexadecimal digits.
type chunk struct {
	start, end int
	plain      string
	encode     func(plain string) string
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"

// shortestChunk is the shortest base64 that is looked into, and the shortest row of hexadecimal digits.
const shortestChunk = 8

// run is a part of a text that consists of the characters of base64, in which also hexadecimal digits stand.
type run struct{ start, end int }

// encodedRuns returns the runs of a text in which there can be base64 or hexadecimal digits.
func encodedRuns(text string) []run {
	var runs []run
	for i := 0; i < len(text); {
		if sixBits[text[i]] == notBase64 {
			i++
			continue
		}
		end := i
		for end < len(text) && sixBits[text[end]] != notBase64 {
			end++
		}
		next := nextLine(text, i, end)
		if next == end { // nearly always
			if end-i >= shortestChunk {
				runs = append(runs, run{i, end})
			}
			i = end
			continue
		}
		lines := []run{{i, end}}
		for ; next != end; next = nextLine(text, i, end) {
			begin := end + strings.IndexFunc(text[end:next], func(r rune) bool { return r >= utf8.RuneSelf || sixBits[r] != notBase64 })
			lines, end = append(lines, run{begin, next}), next
		}
		lines = append([]run{{i, end}}, lines...) // what looks like a line may be a long word before it
		for _, line := range lines {
			if line.end-line.start >= shortestChunk {
				runs = append(runs, line)
			}
		}
		i = end
	}
	return runs
}

// encodedChunks returns the parts of a text that can be base64 or hexadecimal digits.
func encodedChunks(text string) []chunk {
	var chunks []chunk
	for _, r := range encodedRuns(text) {
		chunks = append(chunks, inRun(text, r.start, r.end)...)
	}
	return chunks
}

// nextLine returns where the next line of base64 ends, if the one that ends here goes on there: as mail does it, they are of at
// least 60 characters.
func nextLine(text string, start, end int) int {
	if end-start < shortestLine {
		return end
	}
	last := max(start, strings.LastIndexAny(text[start:end], "\r\n ")+1+start)
	next := end
	for next < len(text) && next < end+4 && strings.IndexByte("\r\n ", text[next]) >= 0 {
		next++
	}
	if end-last < shortestLine || next == end || text[end-1] == '=' {
		return end
	}
	stop := next
	for stop < len(text) && sixBits[text[stop]] != notBase64 {
		stop++
	}
	if stop == next {
		return end
	}
	return stop
}

const shortestLine = 60

// inRun returns what can stand in a run of the characters of base64: in all of it, in the segments of it between slashes, as in
// paths, behind letters that do not belong to it, and in hexadecimal digits.
func inRun(text string, i, end int) []chunk {
	whole := text[i:end]
	chunks := inBase64(nil, whole, i)
	if strings.ContainsAny(whole, separators) {
		for start, j, n := i, i, 0; j <= end; j++ {
			if j == end || strings.IndexByte(separators, text[j]) >= 0 {
				if j-start < end-i && j-start >= shortestChunk {
					chunks = inBase64(chunks, text[start:j], start)
				}
				if start = j + 1; n < maxBefore && end-start >= shortestChunk { // it may be of the base64, or stand before it
					chunks = inBase64(chunks, text[start:end], start)
					n++
				}
			}
		}
	}
	for start := i; start < end; {
		stop := start
		for stop < end && isHex(text[stop]|0x20) {
			stop++
		}
		if digits := text[start:stop]; len(digits) >= shortestChunk && (len(digits) >= 2*shortestChunk || !decimal(digits)) { // else it is a number
			if plain, err := hex.DecodeString(digits[len(digits)%2:]); err == nil {
				chunks = append(chunks, chunk{start + len(digits)%2, stop, string(plain), func(s string) string { return hex.EncodeToString([]byte(s)) }})
			}
		}
		start = max(stop, start+1)
	}
	return chunks
}

// separators are characters of base64 that stand beside it as well: in a path, in a query, in a form.
const separators = "/=-_+"

// maxBefore is how many of them may stand before the base64 in one run.
const maxBefore = 8

// inBase64 adds what a run is base64 of, read from its first character; from the next three only where a text comes out.
func inBase64(chunks []chunk, run string, at int) []chunk {
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(run, "-_") {
		encoding = base64.RawURLEncoding
	}
	encode := func(s string) string { return encoding.EncodeToString([]byte(s)) }
	end := at + len(strings.TrimRight(run, "="))
	bits := make([]byte, 0, len(run))
	for i := range len(run) {
		if b := sixBits[run[i]]; b < 64 {
			bits = append(bits, b)
		}
	}
	for skip := range 4 {
		if len(bits)-skip < shortestChunk {
			break
		}
		plain := make([]byte, 0, len(bits)*3/4)
		rest := bits[skip:]
		for ; len(rest) >= 4; rest = rest[4:] {
			plain = append(plain, rest[0]<<2|rest[1]>>4, rest[1]<<4|rest[2]>>2, rest[2]<<6|rest[3])
		}
		if len(rest) > 1 {
			plain = append(plain, rest[0]<<2|rest[1]>>4)
		}
		if len(rest) > 2 {
			plain = append(plain, rest[1]<<4|rest[2]>>2)
		}
		if skip == 0 || len(bits) >= 2*shortestChunk && texty(plain) {
			chunks = append(chunks, chunk{at + skip, end, string(plain), encode})
		}
	}
	return chunks
}

// texty tells whether nearly all bytes are those of a text, also of one in UTF-16 in the Latin alphabet.
func texty(plain []byte) bool {
	n := 0
	for i := 0; i < len(plain); {
		r, size := utf8.DecodeRune(plain[i:])
		if r == 0 || ' ' <= r && r != utf8.RuneError {
			n += size
		}
		i += size
	}
	return n*5 >= len(plain)*4
}

const notBase64 = 0xff

// sixBits is what a character of base64 stands for, in either alphabet; 64 for the padding.
var sixBits = func() (table [256]byte) {
	for i := range table {
		table[i] = notBase64
	}
	for i, c := range []byte(base64Alphabet[:64]) {
		table[c] = byte(i)
	}
	table['-'], table['_'], table['='] = 62, 63, 64
	return table
}()
