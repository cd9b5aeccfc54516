package suite

import (
	"fmt"
	"strings"
)

// Nearest returns ", did you mean "x"?" for the name most like the given one,
// "" where none is alike.
func Nearest(name string, names []string) string {
	best, distance := "", len(name)/2+2
	for _, candidate := range names {
		if name != "" && strings.HasSuffix(candidate, "."+name) {
			best = candidate // the end of it, as people say it
			break
		}
		if d := editDistance(strings.ToLower(name), strings.ToLower(candidate)); d < distance {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// editDistance is Levenshtein's, in bytes; long input is cut, since it comes from
// a command line.
func editDistance(a, b string) int {
	a, b = a[:min(len(a), 100)], b[:min(len(b), 100)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
