package journal

import "time"

// Unhurried makes what members do depend on their order alone, not on how long the machine takes for it.
func Unhurried(j *Journal) *Journal {
	j.groupTime = time.Hour
	j.turns.mu.Lock()
	defer j.turns.mu.Unlock()
	j.turns.placeTime, j.turns.slowTime = time.Hour, time.Hour
	return j
}

// Waiting counts the members that wait for their turn.
func Waiting(j *Journal) int {
	j.turns.mu.Lock()
	defer j.turns.mu.Unlock()
	n := 0
	for _, q := range []queue{j.turns.foreground, j.turns.background} {
		for _, w := range q {
			if w.state != gone {
				n++
			}
		}
	}
	return n
}

// StoreCursor stores a cursor in a member's transaction, as SetCursor does in one of its own.
func StoreCursor(t *Tx, name string, seq uint64) error {
	if err := t.mayStore(name, false); err != nil {
		return err
	}
	return t.raiseCursor(name, seq)
}

// KeepFree keeps a name from being taken until a member ends, as Rewind and Forget do.
func KeepFree(t *Tx, name string) error { return t.keepFree(name) }

// Ends reports whether a text is taken to begin or end a transaction, and how many statements it has.
func Ends(dialect, text string) (ends bool, count int) {
	s := parseStatement(text, lexers[dialect])
	return s.ends, s.count
}
