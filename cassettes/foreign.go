package cassettes

import (
	"bytes"
	"regexp"
	"sync"
)

// Foreign tells what a file is, by how it begins, if it is a recording of a tool whose format is not read, and what to do with
// it; "" if it is none of those that it knows.
func Foreign(head []byte) string {
	return firstOf(head, foreignFormats())
}

// captured tells the same of the captures that `conform check` reads and that are no cassettes.
func captured(head []byte) string {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return "a text in UTF-16, as a HAR that PowerShell wrote, and no cassette" + judgeIt
	}
	return firstOf(head, capturedFormats())
}

// foreignFormat is a format that a file has in which the expression matches.
type foreignFormat struct {
	sign *regexp.Regexp
	says string
}

func firstOf(head []byte, formats []foreignFormat) string {
	head = head[:min(len(head), 16<<10)]
	for _, f := range formats {
		if f.sign.Match(bytes.TrimPrefix(head, []byte("\ufeff"))) {
			return f.says
		}
	}
	return ""
}

const recordAgain = ": it does not keep what is judged, such as the times and all header fields as they were sent; " +
	"capture the same traffic with a proxy, such as mitmproxy, or in the browser, save it as HAR, and give that to `conform check`"

const judgeIt = ": `conform check FILE` judges it, and `conform import FILE --out NAME.yaml` makes a cassette of it"

var foreignFormats = sync.OnceValue(func() []foreignFormat {
	return []foreignFormat{
		{regexp.MustCompile(`(?m)^http_interactions:|^\s*\{\s*"http_interactions"\s*:`), "a cassette of VCR (Ruby)" + recordAgain},
		{regexp.MustCompile(`(?m)^interactions:(?s:.*)^ +uri: |"interactions"\s*:\s*\[\s*\{\s*"request"(?s:.*)"uri"\s*:`), "a cassette of vcrpy" + recordAgain},
		{regexp.MustCompile(`(?m)^!tape`), "a tape of Betamax" + recordAgain},
		{regexp.MustCompile(`^\s*\[\s*\{(?s:.*)"scope"\s*:\s*"https?:`), "a recording of nock" + recordAgain},
		{regexp.MustCompile(`^\s*\{\s*"mappings"\s*:|^\s*\{(?s:.*)"(?:url|urlPath|urlPattern|urlPathPattern)"\s*:(?s:.*)"(?:bodyFileName|jsonBody|base64Body|fixedDelayMilliseconds)"\s*:|` +
			`^\s*\{(?s:.*)"(?:bodyFileName|jsonBody|base64Body|fixedDelayMilliseconds)"\s*:(?s:.*)"(?:url|urlPath|urlPattern|urlPathPattern)"\s*:`), "a stub of WireMock" + recordAgain},
		{regexp.MustCompile(`^\s*\{(?s:.*)"schema"\s*:\s*"https://schema\.getpostman\.com/`), "a collection of Postman" + recordAgain},
	}
})

var capturedFormats = sync.OnceValue(func() []foreignFormat {
	return []foreignFormat{
		{regexp.MustCompile(`^\s*\{\s*"log"\s*:\s*\{`), "a HAR, and no cassette" + judgeIt},
		{regexp.MustCompile(`^PK\x03\x04`), "an archive, as Fiddler's (SAZ) or a HAR that was packed, and no cassette" + judgeIt},
	}
})
