package cassettes

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
)

// pseudonyms makes what stands for a name. Each is of the kind and the shape of what it stands for, so that a link stays a link,
// and consists of characters that no encoding changes, so that it can be put into any. Without the key nobody can tell
// what it stands for, nor try whether it stands for a name that he guesses.
type pseudonyms struct{ key []byte }

func (p pseudonyms) sum(kind, canonical string) []byte {
	mac := hmac.New(sha256.New, p.key)
	fmt.Fprintf(mac, "%s\x00%s", kind, canonical)
	return mac.Sum(nil)
}

// of returns the pseudonym of anything without a shape of its own: "name-0123456789".
func (p pseudonyms) of(kind, canonical string) string {
	return kind + "-" + hex.EncodeToString(p.sum(kind, canonical)[:5])
}

// reserved ends the names of hosts that can be nobody's (RFC 2606).
const reserved = ".example.invalid"

// host keeps the label by which a host is found that tells where a user's server is.
func (p pseudonyms) host(name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, label := range []string{"lyncdiscover.", "lyncdiscoverinternal."} {
		if rest, ok := strings.CutPrefix(name, label); ok && strings.Contains(rest, ".") {
			return label + p.of("host", rest) + reserved
		}
	}
	return p.of("host", name) + reserved
}

// number returns a decimal number of the length, but not shorter than 12 digits, which its last four digits show to be a
// pseudonym.
func (p pseudonyms) number(kind, canonical string, length int) string {
	length = max(length, 12)
	digits := "9"
	for n := uint64(0); len(digits) < length-4; n++ {
		sum := p.sum(kind, fmt.Sprintf("%s/%d", canonical, n))
		digits += fmt.Sprintf("%09d", binary.BigEndian.Uint64(sum)%1e9)
	}
	digits = digits[:length-4]
	return digits + numberMark(digits)
}

func numberMark(digits string) string {
	return fmt.Sprintf("%04d", crc32.ChecksumIEEE([]byte("conform"+digits))%10000)
}

// isNumber tells whether a number is such a pseudonym.
func isNumber(s string) bool {
	return len(s) >= 12 && s[0] == '9' && decimal(s) && numberMark(s[:len(s)-4]) == s[len(s)-4:]
}

func decimal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// guid returns a GUID that begins with zeros, as no other of version 4 does.
func (p pseudonyms) guid(canonical string) string {
	s := hex.EncodeToString(p.sum("guid", canonical))
	guid := fmt.Sprintf("00000000-%s-4%s-8%s-%s", s[:4], s[4:7], s[7:10], s[10:18])
	return guid + guidMark(guid)
}

// guidMark is how a GUID ends that begins so and is a pseudonym.
func guidMark(guid string) string {
	return fmt.Sprintf("%04x", crc32.ChecksumIEEE([]byte("conform"+guid))&0xffff)
}

// isGUID tells whether a text in lower case is such a pseudonym. In its digits there can stand, by chance, the name of a server, such
// as fe02.
func isGUID(s string) bool {
	const form = "00000000-xxxx-4xxx-8xxx-xxxxxxxxxxxx"
	for i := range len(form) {
		if form[i] != s[i] && (form[i] != 'x' || !isHex(s[i])) {
			return false
		}
	}
	return guidMark(s[:len(s)-4]) == s[len(s)-4:]
}

// mask is for what is malformed, and must stay so: letters become x, and digits 0.
func mask(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case '0' <= r && r <= '9':
			return '0'
		case letter(r):
			return 'x'
		}
		return r
	}, s)
}

func letter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r >= 0x80 }

// pseudonymAt returns the length of the pseudonym with which a text in lower case begins, 0 if there is none.
func pseudonymAt(text string) int {
	for _, kind := range [...]string{"host-", "user-", "name-", "conf-", "word-", "blob-", "image-", "app-"} {
		if text[0] != kind[0] || !strings.HasPrefix(text, kind) {
			continue
		}
		n := len(kind)
		for n < len(text) && n < len(kind)+10 && isHex(text[n]) {
			n++
		}
		if n < len(kind)+10 || n < len(text) && alphanumeric(text[n]) {
			return 0
		}
		if strings.HasPrefix(text[n:], reserved) {
			n += len(reserved)
		}
		return n
	}
	if n := len("00000000-0000-4000-8000-000000000000"); len(text) >= n && isGUID(text[:n]) && (len(text) == n || !alphanumeric(text[n])) {
		return n
	}
	const redacted = "redacted-"
	if text[0] == 'r' && strings.HasPrefix(text, redacted) {
		n := len(redacted)
		for n < len(text) && '0' <= text[n] && text[n] <= '9' {
			n++
		}
		if n > len(redacted) {
			return n
		}
	}
	return 0
}

// isPseudonym tells whether a value is one, whole.
func isPseudonym(value string) bool {
	value = strings.ToLower(value)
	return value != "" && (pseudonymAt(value) == len(value) || isNumber(strings.TrimPrefix(value, "+")) || strings.HasSuffix(value, ".invalid") || mask(value) == value && strings.Contains(value, "x"))
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}
