package main

// mostTurns bounds how often a subscription may go back in one life.
const mostTurns = 10

// checkNotes: the file has each change of a VM at least once, rising per resource within each life. With one server at a time nothing is skipped: no line comes
// before that of the version before was written, in whatever life. One of several servers can lose its turn and get it again: then it goes back to the position
// that is stored. What was parked in an earlier life may be replayed before the subscription comes by, from a position that was stored before it was parked.
func (e *evidence) checkNotes(f *findings, name string, events map[string][]*entry, notes func(life) []note) {
	place := places(events)
	written := map[string]int{} // by resource: how many of its events, from the first on, are in the file
	for _, life := range e.Lives {
		r := rising{last: map[string]uint64{}}
		if !e.Alone || name == moodyNotebookName {
			r.turns = mostTurns
		}
		for _, n := range notes(life) {
			at, ok := place[n.Seq]
			if !ok || at.entry.Resource != n.Resource || at.entry.Event != n.Event || at.entry.Version != n.Version {
				f.add(checkAtLeastOnce, n.Resource, "%s, life %d, wrote event %d (version %d, %s), which isn't in the journal like that", name, life.Number, n.Seq, n.Version, n.Event)
				continue
			}
			if last, ok := r.take(n); !ok {
				f.add(checkAtLeastOnce, n.Resource, "%s, life %d, wrote event %d (version %d) after event %d", name, life.Number, n.Seq, n.Version, last)
			}
			if e.Alone && at.index > written[n.Resource] {
				f.add(checkAtLeastOnce, n.Resource, "%s, life %d, wrote event %d (version %d) before version %d was written", name, life.Number, n.Seq, n.Version, written[n.Resource]+1)
			}
			written[n.Resource] = max(written[n.Resource], at.index+1)
			at.times++
		}
	}
	for _, list := range events {
		for _, r := range list {
			if place[r.Seq].times == 0 {
				f.add(checkAtLeastOnce, r.Resource, "event %d (version %d) was never written by %s", r.Seq, r.Version, name)
			}
		}
	}
}

// rising follows the lines of one life.
type rising struct {
	last  map[string]uint64 // by resource
	turns int               // how often it may still go back
}

// take takes a line in; not ok: it follows an event of its resource, last, that it can't follow.
func (r *rising) take(n note) (last uint64, ok bool) {
	last = r.last[n.Resource]
	ok = n.Seq > last
	if !ok && r.turns > 0 {
		r.turns--
		r.last = map[string]uint64{}
		ok = true
	}
	r.last[n.Resource] = n.Seq
	return last, ok
}

// placed is an event and its place among those of its resource.
type placed struct {
	entry *entry
	index int
	times int // it was written
}

func places(events map[string][]*entry) map[uint64]*placed {
	all := map[uint64]*placed{}
	for _, list := range events {
		for i, r := range list {
			all[r.Seq] = &placed{entry: r, index: i}
		}
	}
	return all
}

// repeats counts the lines of the file that came again.
func (e *evidence) repeats() (n int) {
	seen := map[uint64]bool{}
	for _, life := range e.Lives {
		for _, note := range life.Notes {
			if seen[note.Seq] {
				n++
			}
			seen[note.Seq] = true
		}
	}
	return n
}

// checkStream: the stream has each event once, in order per resource.
func (e *evidence) checkStream(f *findings) {
	bySeq := make(map[uint64]*entry, len(e.Journal))
	for i := range e.Journal {
		bySeq[e.Journal[i].Seq] = &e.Journal[i]
	}
	last := map[string]message{}
	places := make(map[uint64]uint64, len(e.Messages))
	for _, m := range e.Messages {
		r := bySeq[m.Seq]
		if r == nil || r.Event != m.Event || r.Type != m.Type || r.Resource != m.Resource {
			f.add(checkStream, m.Resource, "message %d is event %d, %s, %s, which isn't in the journal like that", m.Place, m.Seq, m.Event, m.Type)
			continue
		}
		if first, twice := places[m.Seq]; twice {
			f.add(checkStream, m.Resource, "event %d is there twice, as message %d and %d", m.Seq, first, m.Place)
		} else if before := last[m.Resource]; m.Seq < before.Seq {
			f.add(checkStream, m.Resource, "event %d, message %d, comes after event %d, message %d", m.Seq, m.Place, before.Seq, before.Place)
		}
		places[m.Seq] = m.Place
		last[m.Resource] = m
	}
	for _, r := range e.Journal {
		if _, there := places[r.Seq]; !there {
			f.add(checkStream, r.Resource, "event %d is not in the stream", r.Seq)
		}
	}
}
