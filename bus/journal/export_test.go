package journal

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
