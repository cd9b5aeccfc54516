//go:build race

package prove

// Under the race detector only what runs at once is tried: the mutants of a recording
// are judged one by one, and would take a quarter of an hour.
const race = true
