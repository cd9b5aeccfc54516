package suite

import (
	_ "embed"
	"slices"
)

// task is one certified document at work.
type task struct {
	ledger func() *Ledger
	specs  func(*tree)
	drive  func(*session)
	steps  map[string]string // the part that carries a step out, by step
}

//go:embed setpresence.yaml
var setPresenceYAML []byte

// Tasks returns the names of the certified tasks, in the order in which a client does them.
func Tasks() []string { return slices.Clone(taskNames) }

var taskNames = []string{"set-presence"}

var tasks = map[string]*task{
	"set-presence": {
		ledger: parse("setpresence.yaml", setPresenceYAML),
		specs:  setPresence,
		drive:  driveSetPresence,
		steps: map[string]string{"pre": partBefore, "1": partMake, "2": partMake, "3": partAfter, "4": partAfter,
			"5": partPresence, "6": partPresence, "event": partEvents},
	},
}
