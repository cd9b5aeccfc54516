package suite

// OwnProcess is for the example, which lies in another package.
var OwnProcess = ownProcess
