package eventlog

// work is what a search may still do. So a page takes no longer in a log of ten million events than in a small one, whatever it looks for.
type work struct {
	left   int
	credit int // for each event that was found: what it takes to find it is no waste
}

const (
	// usualEffort is what a search may do in vain: the index of 8,000 events for a filter of two terms that are everywhere and never come together.
	usualEffort = 512
	maxEffort   = 1 << 20
	// readingCost is that of an event that was read in vain, in rows of the index.
	readingCost = 4
)

func newWork(effort, streams int) *work { return &work{left: effort + streams, credit: 2 + 2*streams} }

func (w *work) spend(n int) { w.left -= n }

// found pays for an event.
func (w *work) found() { w.left += w.credit }

func (w *work) done() bool { return w.left <= 0 }
