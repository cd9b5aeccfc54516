//go:build !race

package prove

const race = false
