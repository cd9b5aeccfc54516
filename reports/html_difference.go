package reports

import (
	"strings"
	"unicode"
)

// maxWords bounds the comparison, which takes as many steps as the words of one value
// times those of the other.
const maxWords = 200

// difference marks in two values what the other does not have, if they are short and
// enough alike that the marks help: an address that should be another, and not a
// sentence that a number fails to be.
func difference(expected, observed string) (left, right []run) {
	a, b := words(expected), words(observed)
	if len(a) == 0 || len(b) == 0 || len(a) > maxWords || len(b) > maxWords {
		return unmarked(expected), unmarked(observed)
	}
	common := commonWords(a, b)
	same := 0
	for _, pair := range common {
		same += len(a[pair[0]])
	}
	if same*2 < max(len(expected), len(observed)) {
		return unmarked(expected), unmarked(observed)
	}
	return marked(a, common, 0), marked(b, common, 1)
}

// words cuts a text into runs of letters and digits, runs of space, and single signs.
func words(s string) []string {
	kind := func(r rune) int {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return 1
		case unicode.IsSpace(r):
			return 2
		}
		return 0
	}
	var list []string
	begin, before := 0, -1
	for i, r := range s {
		k := kind(r)
		if i > 0 && (k != before || k == 0) {
			list = append(list, s[begin:i])
			begin = i
		}
		before = k
	}
	if s != "" {
		list = append(list, s[begin:])
	}
	return list
}

// commonWords is the longest common subsequence, as pairs of indices.
func commonWords(a, b []string) [][2]int {
	longest := make([][]int, len(a)+1)
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + len(a[i])
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	var pairs [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case longest[i+1][j] >= longest[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// marked puts the words together again, and marks those that are in no pair.
func marked(list []string, pairs [][2]int, side int) []run {
	common := map[int]bool{}
	for _, pair := range pairs {
		common[pair[side]] = true
	}
	var runs []run
	var text strings.Builder
	flush := func(same bool) {
		if text.Len() == 0 {
			return
		}
		r := run{Text: text.String()}
		if !same {
			r.Class = "differs"
		}
		runs = append(runs, r)
		text.Reset()
	}
	for i, word := range list {
		if i > 0 && common[i] != common[i-1] {
			flush(common[i-1])
		}
		text.WriteString(word)
	}
	if len(list) > 0 {
		flush(common[len(list)-1])
	}
	return runs
}
