package suite

import "testing"

// BenchmarkExamine is what one evidence costs to judge, without Ginkgo.
func BenchmarkExamine(b *testing.B) {
	c := open(b, "reference/set-presence")
	for b.Loop() {
		list, err := Locate(c)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Examine(list[0]); err != nil {
			b.Fatal(err)
		}
	}
}
