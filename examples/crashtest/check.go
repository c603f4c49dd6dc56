package main

// check finds all that doesn't hold.
func (e *evidence) check(f *findings) {
	for _, said := range e.Damage {
		f.add(checkDatabase, "", "%s", said)
	}
	events := e.byResource()
	e.checkJournal(f)
	e.checkVersions(f, events)
	e.checkAcks(f, events)
	e.checkLedger(f, events)
	e.checkTally(f, tallyName, e.Tally, e.Total)
	e.checkTally(f, moodyTallyName, e.Moody, e.MoodTotal)
	e.checkNotes(f, notebookName, events, func(l life) []note { return l.Notes })
	e.checkNotes(f, moodyNotebookName, events, func(l life) []note { return l.Moody })
	e.checkStream(f)
	for _, b := range e.Backups {
		b.check(f)
	}
}

// check looks at a backup: the database as it was at one moment. Its subscribers may have been behind.
func (b *backup) check(f *findings) {
	var found findings
	for _, said := range b.Damage {
		found.add(checkDatabase, "", "%s", said)
	}
	b.checkJournal(&found)
	b.checkVersions(&found, b.byResource())
	for _, s := range found.shown {
		f.add(checkBackup, s.Resource, "in %s: %s: %s", b.Name, s.Check, s.What)
	}
}

// checkJournal: numbers without holes up to the head, and no event twice.
func (e *evidence) checkJournal(f *findings) {
	seen := make(map[string]uint64, len(e.Journal))
	last := uint64(0)
	for _, r := range e.Journal {
		if r.Seq != last+1 {
			f.add(checkJournal, r.Resource, "number %d follows %d", r.Seq, last)
		}
		last = r.Seq
		if first, twice := seen[r.Event]; twice {
			f.add(checkJournal, r.Resource, "event %s has the numbers %d and %d", r.Event, first, r.Seq)
		}
		seen[r.Event] = r.Seq
	}
	if last != e.Head {
		f.add(checkJournal, "", "the journal's head is %d, its last row %d", e.Head, last)
	}
}

// checkVersions: each VM has its versions 1, 2, 3 …, a row of the journal each, each from where the one before led, and the last is what the VM's own row says.
// A VM that was removed has no row.
func (e *evidence) checkVersions(f *findings, events map[string][]*entry) {
	rows := make(map[string]row, len(e.VMs))
	for _, vm := range e.VMs {
		rows[vm.resource()] = vm
		if len(events[vm.resource()]) == 0 {
			f.add(checkVersions, vm.resource(), "has a row, version %d, and no events", vm.Version)
		}
	}
	for resource, history := range events {
		checkHistory(f, history)
		last := history[len(history)-1]
		vm, there := rows[resource]
		switch c := last.Change; {
		case there && c.Action == "removed":
			f.add(checkVersions, resource, "its row is there, though event %d has removed it", last.Seq)
		case !there && c.Action != "removed":
			f.add(checkVersions, resource, "has no row; its last event, %d, is %s, version %d", last.Seq, last.Type, last.Version)
		case there && (vm.Version != last.Version || vm.State != c.To || vm.Origin != c.Origin):
			f.add(checkVersions, resource, "its row has version %d in %q (from %q), its last event version %d in %q (from %q)", vm.Version, vm.State, vm.Origin, last.Version, c.To, c.Origin)
		}
	}
}

// checkHistory looks at the events of one VM.
func checkHistory(f *findings, history []*entry) {
	state, version := "", uint64(0)
	for _, r := range history {
		c := r.Change
		switch {
		case r.Version != version+1:
			f.add(checkVersions, r.Resource, "event %d has version %d, the one before has %d", r.Seq, r.Version, version)
		case c.Version != r.Version || c.Resource.Version != r.Version || "vm/"+c.Resource.ID != r.Resource:
			f.add(checkVersions, r.Resource, "event %d has version %d, its data says %d, the resource in it is vm/%s version %d", r.Seq, r.Version, c.Version, c.Resource.ID, c.Resource.Version)
		case c.From != state:
			f.add(checkVersions, r.Resource, "event %d, version %d, leads from %q, the one before to %q", r.Seq, r.Version, c.From, state)
		}
		state, version = c.To, r.Version
	}
}

// checkAcks: what a caller was told is there.
func (e *evidence) checkAcks(f *findings, events map[string][]*entry) {
	for _, life := range e.Lives {
		for _, a := range life.Acks {
			list := events[a.Resource]
			if a.Version == 0 || a.Version > uint64(len(list)) {
				f.add(checkAcknowledged, a.Resource, "version %d, event %s, was acknowledged in life %d; the journal ends with version %d", a.Version, a.ID, life.Number, len(list))
				continue
			}
			if r := list[a.Version-1]; a.ID != noEvent && r.Event != a.ID {
				f.add(checkAcknowledged, a.Resource, "version %d was acknowledged in life %d as event %s; in the journal, number %d, it is event %s", a.Version, life.Number, a.ID, r.Seq, r.Event)
			}
		}
	}
}

// checkTally: a counting subscriber had each event once, in order (per resource, if some were parked), and each of its own writes is there once.
func (e *evidence) checkTally(f *findings, name string, rows []counted, total uint64) {
	times := make(map[uint64]int, len(rows))
	last := map[string]uint64{}
	place := uint64(0)
	for _, c := range rows {
		times[c.Seq]++
		if c.Place != place+1 {
			f.add(checkExactlyOnce, c.Resource, "event %d was counted by %s at place %d, the one before at place %d", c.Seq, name, c.Place, place)
		}
		of := ""
		if name == moodyTallyName {
			of = c.Resource
		}
		if c.Seq < last[of] {
			f.add(checkExactlyOnce, c.Resource, "event %d was counted by %s after event %d, in life %d", c.Seq, name, last[of], c.Life)
		}
		if n := times[c.Seq]; n > 1 {
			f.add(checkExactlyOnce, c.Resource, "event %d was counted by %s %d times, in life %d at place %d", c.Seq, name, n, c.Life, c.Place)
		}
		place, last[of] = c.Place, c.Seq
	}
	for _, r := range e.Journal {
		if times[r.Seq] == 0 {
			f.add(checkExactlyOnce, r.Resource, "event %d was never counted by %s", r.Seq, name)
		}
		delete(times, r.Seq)
	}
	for seq := range times {
		f.add(checkExactlyOnce, "", "event %d was counted by %s and isn't in the journal", seq, name)
	}
	if total != uint64(len(rows)) {
		f.add(checkExactlyOnce, "", "the total of %s is %d, %d events were counted", name, total, len(rows))
	}
}
