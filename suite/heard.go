package suite

import (
	"slices"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// spoken are the numbers of exchanges, by origin, and of all by "".
type spoken map[string][]int

func (s spoken) note(x *Exchange) {
	for _, origin := range []string{ucwa.Origin(x.url), ""} {
		i, _ := slices.BinarySearch(s[origin], x.ID)
		s[origin] = slices.Insert(s[origin], i, x.ID)
	}
}

// near returns the number of the exchange that is the nearest to x, and how far it is: one with that host if there is
// one, and one before x if there is one. Exchanges are given to clients from the last to the first, so that what was
// given before is behind x.
func (s spoken) near(x *Exchange) (number, distance int) {
	const after, elsewhere = 1 << 20, 1 << 24
	for _, host := range []struct {
		numbers []int
		penalty int
	}{{s[ucwa.Origin(x.url)], 0}, {s[""], elsewhere}} {
		i, _ := slices.BinarySearch(host.numbers, x.ID)
		switch {
		case i > 0:
			return host.numbers[i-1], x.ID - host.numbers[i-1] + host.penalty
		case len(host.numbers) > 0:
			return host.numbers[0], host.numbers[0] - x.ID + after + host.penalty
		}
	}
	return 0, after + 2*elsewhere
}

// busiest returns the client that spoke last before x, to that host if one did; if none
// did, the one that speaks first after it.
func busiest(clients []*appClient, x *Exchange) *appClient {
	best, least := clients[0], -1
	for _, c := range clients {
		if _, far := c.spoken.near(x); least < 0 || far < least {
			best, least = c, far
		}
	}
	return best
}

// heard is what all clients have spoken, for busiest to be found among all at once.
type heard struct {
	spoken
	by map[int]*appClient // the first of those that have an exchange of that number
}

// heardOf notes which exchanges are the clients' already.
func heardOf(clients []*appClient, all []*Exchange) *heard {
	h := &heard{spoken{}, map[int]*appClient{}}
	of := map[*Exchange]*appClient{}
	for _, c := range clients {
		c.spoken = spoken{}
		for _, x := range c.exchanges {
			of[x] = c
			c.spoken.note(x)
		}
	}
	for _, x := range all {
		if c := of[x]; c != nil {
			h.note(x, c)
		}
	}
	return h
}

func (h *heard) note(x *Exchange, c *appClient) {
	if first := h.by[x.ID]; first == nil || c.number < first.number {
		h.by[x.ID] = c
	}
	h.spoken.note(x)
}

func (h *heard) busiest(x *Exchange) *appClient {
	number, _ := h.near(x)
	return h.by[number]
}
