package suite

import (
	"slices"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// Variants returns what does the same as [Locate] in recordings that differ from that of
// e, e.Recording, in few exchanges, for whoever asks what becomes of the verdicts then.
// An exchange with an Interaction of e.Recording is not read again, so none
// of these may be changed. It can be called by several goroutines at once.
func (e *Evidence) Variants() func(exchanges []cassettes.Exchange) ([]*Evidence, error) {
	known := make(map[*cassettes.Interaction]*Exchange, len(e.Exchanges))
	for _, x := range e.Exchanges {
		_, _ = x.response.decode(x.Response.Body) // now, since later many look at once
		_, _ = x.request.decode(x.Request.Body)
		links := linksOf(x)
		for i := range links {
			links[i].key = linkKey(links[i].url)
		}
		known[x.Interaction] = &Exchange{Probe: x.Probe, lost: x.lost, url: x.url, request: x.request, response: x.response, links: links}
	}
	return func(list []cassettes.Exchange) ([]*Evidence, error) {
		whole, others := *e.Recording, *e.Recording
		whole.Exchanges, others.Exchanges = list, slices.DeleteFunc(slices.Clone(list), func(x cassettes.Exchange) bool { return known[x.Interaction] != nil })
		if e.masker != nil || slices.ContainsFunc(list, func(x cassettes.Exchange) bool { return x.Interaction == nil }) { // it must be said of the whole
			return Locate(&whole, e.Tasks...)
		}
		changed := exchanges(others.Decompressed().Exchanges, e.Driven)
		all := make([]*Exchange, 0, len(list))
		whole.Exchanges = nil
		for _, x := range list {
			if k := known[x.Interaction]; k != nil {
				same := *k
				same.Exchange = x
				all = append(all, &same)
			} else {
				all, changed = append(all, changed[0]), changed[1:]
			}
			whole.Exchanges = append(whole.Exchanges, all[len(all)-1].Exchange)
		}
		return locate(&whole, all, e.Tasks), nil
	}
}
