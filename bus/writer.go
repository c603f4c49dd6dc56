package bus

// WriterStats is what the writer of a journal's database has done since it was opened, and what waits for it.
type WriterStats struct {
	Commits    uint64 // transactions
	Members    uint64 // units of work in them: Members/Commits is how many share one
	Background uint64 // those of them that nobody waits for
	Failed     uint64 // units of work that ended in an error, a veto's and that of a caller who stopped waiting included

	Waiting           int // units of work that somebody waits for, before their turn
	WaitingBackground int // others
}

// WriterReporter is implemented by journals that can tell how their writer is doing. It may be called concurrently.
type WriterReporter interface {
	WriterStats() WriterStats
}
