package reports

// The reports that the tests of other packages' makings show too.
var (
	Everything = everything
	Hostile    = hostile
	Many       = many
)
