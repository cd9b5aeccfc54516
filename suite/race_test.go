//go:build race

package suite

// Under the race detector what runs nothing at once is left out, where it takes minutes.
const race = true
