package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sound is evidence in which everything holds: vm/a is created, started, resized, stopped; vm/b is created and destroyed. Life 2 repeats what life 1 wrote last.
func sound() *evidence {
	e := &evidence{Alone: true, VMs: []row{{"a", "stopped", "", 5}, {"b", "destroyed", "", 2}}}
	e.change("a", 1, "created", "", "stopped", "", 2)              // 1
	e.metered("a", "opened", "vm.allocated", 1, 1)                 // 2
	e.change("b", 1, "created", "", "stopped", "", 1)              // 3
	e.change("a", 2, "moved", "stopped", "starting", "stopped", 2) // 4
	e.change("a", 3, "moved", "starting", "running", "", 2)        // 5
	e.metered("b", "opened", "vm.allocated", 3, 3)                 // 6
	e.metered("a", "opened", "vm.running", 5, 5)                   // 7
	e.change("a", 4, "updated", "running", "running", "", 4)       // 8
	e.change("b", 2, "moved", "stopped", "destroyed", "", 1)       // 9
	e.metered("a", "closed", "vm.allocated", 1, 8)                 // 10
	e.metered("a", "closed", "vm.running", 5, 8)                   // 11
	e.metered("a", "opened", "vm.allocated", 8, 8)                 // 12
	e.metered("a", "opened", "vm.running", 8, 8)                   // 13
	e.metered("b", "closed", "vm.allocated", 3, 9)                 // 14
	e.change("a", 5, "moved", "running", "stopped", "", 4)         // 15
	e.metered("a", "closed", "vm.running", 8, 15)                  // 16
	e.Intervals = []interval{
		{1, "vm.allocated", "acme", "vm/a", 2, 1024, 1, 8, 8},
		{3, "vm.allocated", "acme", "vm/b", 1, 1024, 3, 9, 9},
		{5, "vm.running", "acme", "vm/a", 2, 1024, 5, 8, 8},
		{8, "vm.allocated", "acme", "vm/a", 4, 1024, 8, 0, 0},
		{8, "vm.running", "acme", "vm/a", 4, 1024, 8, 15, 15},
	}
	e.Lives = []life{{Number: 1}, {Number: 2}}
	for i, r := range e.Journal {
		e.Head = r.Seq
		e.Total++
		e.Tally = append(e.Tally, counted{tallyName, e.Total, r.Seq, r.Event, r.Resource, 1})
		e.MoodTotal++
		e.Moody = append(e.Moody, counted{moodyTallyName, e.MoodTotal, r.Seq, r.Event, r.Resource, 1})
		e.Messages = append(e.Messages, message{uint64(i) + 1, r.Seq, r.Event, r.Type, r.Resource})
		if r.Change == nil {
			continue
		}
		a, n := ack{1, r.Resource, r.Version, r.Event}, note{r.Seq, r.Resource, r.Version, r.Event}
		if r.Version == 1 {
			a.ID = noEvent
		}
		if r.Seq <= 9 {
			e.Lives[0].Acks, e.Lives[0].Notes = append(e.Lives[0].Acks, a), append(e.Lives[0].Notes, n)
		}
		if r.Seq >= 5 {
			e.Lives[1].Notes = append(e.Lives[1].Notes, n)
		}
		e.Lives[1].Moody = append(e.Lives[1].Moody, n)
	}
	return e
}

func (e *evidence) append(r entry) {
	r.Seq = uint64(len(e.Journal)) + 1
	r.Event = fmt.Sprintf("event%d", r.Seq)
	e.Journal = append(e.Journal, r)
}

func (e *evidence) change(id string, version uint64, action, from, to, origin string, cpus int64) {
	c := &change{Action: action, Tenant: "acme", From: from, To: to, Origin: origin, Version: version, Time: stamp(len(e.Journal) + 1)}
	c.Resource.ID, c.Resource.State, c.Resource.Version, c.Resource.CPUs, c.Resource.MemoryMiB = id, to, version, cpus, 1024
	e.append(entry{Type: "vm.something", Resource: "vm/" + id, Version: version, Change: c})
}

func (e *evidence) metered(id, what, meter string, opened uint64, at stamp) {
	m := &metered{What: what, Meter: meter, OpenedSeq: opened}
	if what == "closed" {
		m.EndedAt = at
	} else {
		m.StartedAt = at
	}
	e.append(entry{Type: "usage." + meter + "." + what, Resource: "vm/" + id, Metered: m})
}

func TestEachViolationIsFound(t *testing.T) {
	for _, tt := range []struct {
		name   string
		doctor func(*evidence)
		check  string // that finds it; "": none, it is no violation
		says   string
	}{
		{"nothing wrong", func(*evidence) {}, "", ""},
		{"a damaged database", func(e *evidence) { e.Damage = []string{"page 7 is torn"} }, checkDatabase, "page 7"},

		{"an acknowledged version isn't there", func(e *evidence) {
			e.Lives[0].Acks = append(e.Lives[0].Acks, ack{1, "vm/a", 6, "event99"})
		}, checkAcknowledged, "ends with version 5"},
		{"an acknowledged resource isn't there", func(e *evidence) {
			e.Lives[1].Acks = append(e.Lives[1].Acks, ack{2, "vm/c", 1, noEvent})
		}, checkAcknowledged, "life 2"},
		{"an acknowledged version is another change", func(e *evidence) { e.Lives[0].Acks[2].ID = "event99" }, checkAcknowledged, "event99; in the journal"},

		{"a hole in the numbers", func(e *evidence) {
			for i := 9; i < len(e.Journal); i++ {
				e.Journal[i].Seq++
			}
			e.Head++
		}, checkJournal, "number 11 follows 9"},
		{"a row after the head", func(e *evidence) { e.Head-- }, checkJournal, "head is 15"},
		{"an event with two numbers", func(e *evidence) { e.Journal[9].Event = "event9" }, checkJournal, "numbers 9 and 10"},

		{"a version is missing", func(e *evidence) { e.Journal[4].Version++ }, checkVersions, "has version 4, the one before has 2"},
		{"two changes with one version", func(e *evidence) { e.Journal[4].Version-- }, checkVersions, "has version 2, the one before has 2"},
		{"data of another version", func(e *evidence) { e.Journal[4].Change.Resource.Version = 9 }, checkVersions, "version 9"},
		{"a change from where the resource wasn't", func(e *evidence) { e.Journal[4].Change.From = "paused" }, checkVersions, `leads from "paused"`},
		{"a row behind its journal", func(e *evidence) { e.VMs[0].Version = 4 }, checkVersions, "its row has version 4"},
		{"a row in another state", func(e *evidence) { e.VMs[0].State = "running" }, checkVersions, `in "running"`},
		{"a row without events", func(e *evidence) { e.VMs = append(e.VMs, row{"c", "stopped", "", 1}) }, checkVersions, "and no events"},
		{"events without a row", func(e *evidence) { e.VMs = e.VMs[:1] }, checkVersions, "has no row"},
		{"a removed resource", func(e *evidence) { e.Journal[8].Change.Action, e.VMs = "removed", e.VMs[:1] }, "", ""},
		{"a removed resource that is there", func(e *evidence) { e.Journal[8].Change.Action = "removed" }, checkVersions, "has removed it"},
		{"a backup whose subscribers were behind", func(e *evidence) {
			b := sound()
			b.Tally, b.Intervals = nil, nil
			e.Backups = []backup{{"backup-1", b}}
		}, "", ""},
		{"a backup of two moments", func(e *evidence) {
			b := sound()
			b.VMs[0].Version++
			e.Backups = []backup{{"backup-1", b}}
		}, checkBackup, "in backup-1: versions"},

		{"an interval is missing", func(e *evidence) { e.Intervals = slices.Delete(e.Intervals, 2, 3) }, checkLedger, "is missing"},
		{"an interval too many", func(e *evidence) {
			e.Intervals = append(e.Intervals, interval{15, "vm.running", "acme", "vm/a", 4, 1024, 15, 0, 0})
		}, checkLedger, "shouldn't be there"},
		{"an interval never ended", func(e *evidence) { e.Intervals[4].EndedAt, e.Intervals[4].ClosedSeq = 0, 0 }, checkLedger, "computed anew"},
		{"an interval of another size", func(e *evidence) { e.Intervals[3].CPUs = 2 }, checkLedger, "CPUs:2"},
		{"an interval of another tenant", func(e *evidence) { e.Intervals[3].Tenant = "else" }, checkLedger, "else"},
		{"an interval is announced twice", func(e *evidence) { e.Journal[11].Metered.OpenedSeq = 1 }, checkLedger, "or not again"},
		{"the end of an interval is announced with another time", func(e *evidence) { e.Journal[15].Metered.EndedAt = 16 }, checkLedger, "closed at 16"},

		{"counted twice", func(e *evidence) {
			e.Tally = append(e.Tally, e.Tally[3])
			e.Tally[16].Place = 17
			e.Total++
		}, checkExactlyOnce, "event 4 was counted by tally 2 times"},
		{"counted twice at one place", func(e *evidence) { e.Tally = slices.Insert(e.Tally, 3, e.Tally[3]); e.Total++ }, checkExactlyOnce, "event 4 was counted by tally 2 times"},
		{"never counted", func(e *evidence) {
			e.Tally = e.Tally[:15]
			e.Total--
		}, checkExactlyOnce, "event 16 was never counted by tally"},
		{"counted in the wrong order", func(e *evidence) { e.Tally[3].Seq, e.Tally[4].Seq = 5, 4 }, checkExactlyOnce, "event 4 was counted by tally after event 5"},
		{"counted and not there", func(e *evidence) { e.Tally[15].Seq = 99 }, checkExactlyOnce, "event 99 was counted"},
		{"a total that a lost write has left behind", func(e *evidence) { e.Total-- }, checkExactlyOnce, "total of tally is 15"},

		{"never written", func(e *evidence) { e.Lives[1].Notes = e.Lives[1].Notes[:3] }, checkAtLeastOnce, "event 15 (version 5) was never written"},
		{"written in the wrong order", func(e *evidence) {
			n := e.Lives[0].Notes
			n[2], n[3] = n[3], n[2]
		}, checkAtLeastOnce, "notebook, life 1, wrote event 4 (version 2) after event 5"},
		{"written twice in one life", func(e *evidence) { n := &e.Lives[1].Notes; *n = append(*n, (*n)[3]) }, checkAtLeastOnce, "event 15 (version 5) after event 15"},
		{"skipped, and written by a later life", func(e *evidence) { n := &e.Lives[0].Notes; *n = slices.Delete(*n, 3, 4) }, checkAtLeastOnce, "before version 3 was written"},
		{"skipped, and written by another server", func(e *evidence) {
			n := &e.Lives[0].Notes
			*n = slices.Delete(*n, 3, 4)
			e.Alone = false
		}, "", ""},
		{"written again by a server whose turn came again", func(e *evidence) {
			n := &e.Lives[1].Notes
			*n = append(*n, (*n)...)
			e.Alone = false
		}, "", ""},
		{"written again and again", func(e *evidence) {
			n := &e.Lives[1].Notes
			for range mostTurns + 1 {
				*n = append(*n, (*n)[:4]...)
			}
			e.Alone = false
		}, checkAtLeastOnce, "after event"},
		{"written and not there", func(e *evidence) { e.Lives[0].Notes[0].Event = "event99" }, checkAtLeastOnce, "event99"},

		{"counted in another order of resources, after parking", func(e *evidence) {
			m := e.Moody
			m[4], m[5] = m[5], m[4]
			m[4].Place, m[5].Place = 5, 6
		}, "", ""},
		{"counted in the wrong order, after parking", func(e *evidence) {
			m := e.Moody
			m[3], m[4] = m[4], m[3]
			m[3].Place, m[4].Place = 4, 5
		}, checkExactlyOnce, "event 4 was counted by moody_tally after event 5"},
		{"never taken up again", func(e *evidence) { e.Lives[1].Moody = e.Lives[1].Moody[1:] }, checkAtLeastOnce, "by moody_notebook"},

		{"not in the stream", func(e *evidence) { e.Messages = e.Messages[:15] }, checkStream, "event 16 is not in the stream"},
		{"in the stream twice", func(e *evidence) {
			m := e.Messages[15]
			m.Place = 17
			e.Messages = append(e.Messages, m)
		}, checkStream, "event 16 is there twice, as message 16 and 17"},
		{"in the stream in the wrong order", func(e *evidence) {
			m := e.Messages
			m[3], m[4] = m[4], m[3]
		}, checkStream, "event 4, message 4, comes after event 5, message 5"},
		{"in the stream in another order of resources", func(e *evidence) {
			m := e.Messages
			m[1], m[2] = m[2], m[1]
		}, "", ""},
		{"another event in the stream", func(e *evidence) { e.Messages[3].Type = "vm.other" }, checkStream, "vm.other"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := sound()
			tt.doctor(e)
			var f findings
			e.check(&f)
			found := slices.ContainsFunc(f.shown, func(f finding) bool { return f.Check == tt.check && strings.Contains(f.Resource+" "+f.What, tt.says) })
			if (tt.check == "") != (f.total() == 0) || tt.check != "" && !found {
				t.Errorf("found %+v; want one of %q that says %q", f.shown, tt.check, tt.says)
			}
		})
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	e := sound()
	e.Messages, e.Tally, e.Lives = nil, nil, nil
	var f findings
	e.check(&f)
	if n := len(f.shown); n > 3*shownPerCheck+1 || f.count[checkStream] != len(e.Journal) {
		t.Errorf("%d are shown, counted were %v", n, f.count)
	}
}
