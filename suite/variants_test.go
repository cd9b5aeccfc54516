package suite

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// TestVariants holds that a variant of a recording is judged, and hidden, as if it had
// been read anew.
func TestVariants(t *testing.T) {
	slow(t)
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	list, err := Locate(c)
	if err != nil {
		t.Fatal(err)
	}
	variant := list[0].Variants()
	recorded := list[0].Recording
	edited := func(i int, edit func(x *cassettes.Interaction)) []cassettes.Exchange {
		all := slices.Clone(recorded.Exchanges)
		copied := *all[i].Interaction
		copied.Request.Headers = all[i].Request.Headers.Clone()
		edit(&copied)
		all[i].Interaction = &copied
		return all
	}
	const secret = "s3cr3t-of-nobody"
	variants := [][]cassettes.Exchange{nil, recorded.Exchanges, recorded.Exchanges[1:], make([]cassettes.Exchange, 1),
		edited(0, func(x *cassettes.Interaction) { x.Response.Body = `{"ms_rtc_token":"` + secret + `"}` }),
		edited(0, func(x *cassettes.Interaction) { x.Request.Headers.Set("Authorization", "Bearer "+secret) }),
		edited(0, func(x *cassettes.Interaction) { x.Response.Body = "\x1f\x8b" }),
	}
	for i := range recorded.Exchanges {
		variants = append(variants, edited(i, func(x *cassettes.Interaction) { x.Response.Code = 500 }),
			edited(i, func(x *cassettes.Interaction) { x.Response.Body = `{"rel":"application"}` }))
	}
	for n, exchanges := range variants {
		whole := *recorded
		whole.Exchanges = exchanges
		anew, expected := Locate(&whole)
		got, err := variant(exchanges)
		if (err == nil) != (expected == nil) || err != nil && err.Error() != expected.Error() || len(got) != len(anew) {
			t.Fatalf("variant %d: %d evidences, %v; expected %d, %v", n, len(got), err, len(anew), expected)
		}
		for i := range got {
			results, err := Examine(got[i])
			if err != nil {
				t.Fatal(err)
			}
			wanted, err := Examine(anew[i])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wanted, results); diff != "" {
				t.Errorf("variant %d is judged otherwise than read anew:\n%s", n, diff)
			}
			if !reflect.DeepEqual(anew[i].Recording, got[i].Recording) {
				t.Errorf("variant %d is kept otherwise than read anew", n)
			}
		}
	}
}
