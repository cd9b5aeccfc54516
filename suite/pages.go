package suite

// The certified tasks, in the order in which a client does them.
func init() { // not where the list is declared: the checks ask for the pages, too
	register("create-application", createApplication)
	register("set-presence", setPresence)
	register("get-presence", getPresence)
	register("reset-presence", resetPresence)
	register("get-note", getNote)
	register("set-note", setNote)
	register("reset-note", resetNote)
}
