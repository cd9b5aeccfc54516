package main

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// shardFlags say which part of a list a run takes, and of which run on the list it is a part.
type shardFlags struct {
	shard string // "2/5"
	index int    // from 0, as the pods of an Indexed Job count
	all   int
	run   string
}

func (f *shardFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.shard, "shard", "", "with --targets: run shard I of N, as in 2/4")
	flags.IntVar(&f.index, "shard-index", 0, "in place of --shard: I from 0, as in $(JOB_COMPLETION_INDEX) of Kubernetes; with --shards N")
	flags.IntVar(&f.all, "shards", 0, "with --shard-index: how many shards there are")
	flags.StringVar(&f.run, "run", "", "with --targets: a name for the run, the same in all its shards, so that none of another run is merged with them")
}

// shardOnly are their names.
var shardOnly = []string{"shard", "shard-index", "shards", "run"}

// maxShards bounds what each shard says of all others.
const maxShards = 10_000

// parse returns which shard it is, from 1, of how many: 1 of 1 where none was asked for.
func (f *shardFlags) parse(cmd *cobra.Command) (i, n int, err error) {
	indexed := given(cmd, "shard-index")
	switch {
	case f.shard != "" && (indexed || given(cmd, "shards")):
		return 0, 0, usage("--shard %s excludes --shard-index and --shards: they say the same, --shard-index from 0", f.shard)
	case indexed != given(cmd, "shards"):
		return 0, 0, usage("--shard-index and --shards need each other: --shard-index 0 --shards 4 is the first of four")
	case indexed && (f.all < 1 || f.all > maxShards || f.index < 0 || f.index >= f.all):
		return 0, 0, usage("--shard-index %d --shards %d: expected 1 to %d shards, and an index from 0 to one less than there are", f.index, f.all, maxShards)
	case indexed:
		return f.index + 1, f.all, nil
	case f.shard == "":
		return 1, 1, nil
	}
	first, all, ok := strings.Cut(f.shard, "/")
	i, err = strconv.Atoi(first)
	n, err2 := strconv.Atoi(all)
	if !ok || err != nil || err2 != nil || i < 1 || n < 1 || i > n || n > maxShards {
		return 0, 0, usage("--shard %s: expected I/N with I from 1 to N, such as 2/5", f.shard)
	}
	return i, n, nil
}

// given tells whether a flag has a value, from wherever.
func given(cmd *cobra.Command, name string) bool {
	flag := cmd.Flags().Lookup(name)
	return flag.Changed || len(flag.Annotations[configured]) > 0
}

// dealer deals the targets of a list out to shards, as they come. All targets of one user go to one shard, where they take turns:
// what a user sets is his, and two runs that set it at once would each find what the other set.
type dealer struct {
	mine   int // which shard is wanted, from 1
	shards []reports.Names
	of     map[string]int // the shard of a user, from 0
}

func newDealer(mine, all int) *dealer {
	return &dealer{mine: mine, shards: make([]reports.Names, all), of: map[string]int{}}
}

// deal tells whether a target goes to the shard that is wanted. A user who is new goes to the shard that has least.
func (d *dealer) deal(name, user string) bool {
	at, known := d.of[user]
	if !known {
		for i := range d.shards {
			if len(d.shards[i]) < len(d.shards[at]) {
				at = i
			}
		}
		d.of[user] = at
	}
	d.shards[at] = append(d.shards[at], name)
	return at == d.mine-1
}

// userOf says whose presence a target sets, as far as the list tells: by the SIP address or the name that signs in, or by the
// application's host and where its token is.
func userOf(value func(key string) string) string {
	if sip := account(value("sip")); sip != "" {
		return strings.ToLower(sip)
	}
	if application := value("application"); application != "" {
		if u, err := url.Parse(cmp.Or(value("target"), application)); err == nil {
			application = ucwa.Origin(u)
		}
		return application + " " + cmp.Or(value("token-file"), value("token-env"))
	}
	user := strings.ToLower(value("username"))
	if !strings.Contains(user, "@") {
		user += " " + strings.ToLower(cmp.Or(value("domain"), value("autodiscover")))
	}
	return user
}
