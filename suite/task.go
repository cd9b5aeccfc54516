package suite

import "slices"

// task is one certified document at work.
type task struct {
	ledger func() *Ledger
	specs  func(*tree)
	steps  map[string]string // the part that carries a step out, by step
}

// Tasks returns the names of the certified tasks, in the order in which a client does them.
func Tasks() []string { return slices.Clone(taskNames) }

var taskNames = []string{"create-application", "set-presence"}

var tasks = map[string]*task{
	"create-application": {
		ledger: whole(&createApplicationLedger),
		specs:  createApplication,
		steps:  map[string]string{"1": partRoot, "2": partChallenge, "3": partToken, "4": partUser, "5": partCreate, "6": partEnd},
	},
	"set-presence": {
		ledger: whole(&setPresenceLedger),
		specs:  setPresence,
		steps: map[string]string{"pre": partBefore, "1": partMake, "2": partMake, "3": partAfter, "4": partAfter,
			"5": partPresence, "6": partPresence, "event": partEvents},
	},
}
