package status_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// TestNoReportFallsBetween: reports come up to 10 ms before and after their VMs are made; none stays without its observation.
func TestNoReportFallsBetween(t *testing.T) {
	for _, parallel := range []int{1, 4, 16, 32} {
		creates := 400
		if parallel == 1 || postgrestest.On() {
			creates = 100
		}
		t.Run(fmt.Sprint(parallel, " at once"), func(t *testing.T) {
			s := newSite(t)
			s.options.OrphanAfter = time.Hour
			s.start()
			h, err := s.engine.Kind("vm")
			s.must(err)
			turns := make(chan int, creates)
			for n := range creates {
				turns <- n
			}
			close(turns)
			var all sync.WaitGroup
			for range parallel {
				all.Go(func() {
					for n := range turns {
						id := fmt.Sprintf("vm-%03d", n)
						var both sync.WaitGroup
						both.Go(func() { // before or after: whoever is first
							<-time.After(time.Duration(rand.IntN(20_000)) * time.Microsecond)
							if err := s.transport.Publish(t.Context(), s.say(n, id, "RUNNING")); err != nil {
								t.Error(err)
							}
						})
						<-time.After(10 * time.Millisecond)
						if _, err := h.Create(t.Context(), &vm.VM{Object: resources.Object{ID: id}}); err != nil {
							t.Error(err)
						}
						both.Wait()
					}
				})
			}
			all.Wait()
			missing := creates
			s.until("each VM has its observation", func() bool {
				missing = creates
				counts, err := h.CountStates(t.Context())
				s.must(err)
				missing -= int(counts[vm.Running])
				return missing == 0
			})
			page, _, err := s.ingest.Held(t.Context(), status.HeldQuery{})
			if err != nil || len(page) != 0 {
				t.Errorf("still held: %+v, %v", page, err)
			}
			c := s.ingest.Stats()
			t.Logf("%2d at once: %d of %d VMs stay without their report (%d reports were held)", parallel, missing, creates, c.Held)
		})
	}
}

// TestAnyOrderEndsInTheNewest: whatever the order in which reports come, and however often, the newest is what stays.
func TestAnyOrderEndsInTheNewest(t *testing.T) {
	s := newSite(t).start()
	words := []string{"RUNNING", "STOPPED", "PAUSED", "ERROR", "STOPPING"}
	random := rand.New(rand.NewPCG(1, 2))
	rounds, most := 40, 8
	if postgrestest.On() {
		rounds = 10
	}
	expected := map[string]string{}
	for round := range rounds {
		id := fmt.Sprintf("vm-%02d", round)
		sequenced := round%2 == 0
		if round%5 != 0 {
			s.vm(id)
		}
		var made []told
		for n := range 2 + random.IntN(most) {
			r := told{id: fmt.Sprintf("%s-%d", id, n), source: "dcm/providers/east", kind: "vm", resource: id, status: words[random.IntN(len(words))],
				at: s.clock.now().Add(time.Duration(n) * time.Second)}
			if sequenced { // the clock jumps, the sequence doesn't
				r.sequence, r.at = int64(n+1), s.clock.now().Add(-time.Duration(random.IntN(1000))*time.Second)
			}
			made = append(made, r)
			expected[id] = r.status
		}
		order := append(random.Perm(len(made)), random.Perm(len(made))...)
		for n, which := range order {
			l := made[which].letter()
			l.ID = fmt.Sprintf("%s-m%d", id, n) // of the message, not of the event: the broker lets repeats pass
			s.must(s.transport.Publish(t.Context(), l))
			s.sent++
		}
	}
	s.until("all is dealt with", func() bool { return done(s.ingest.Stats()) >= s.sent })
	for round := range rounds {
		if id := fmt.Sprintf("vm-%02d", round); round%5 == 0 {
			s.vm(id)
		}
	}
	s.must(s.ingest.CheckNow(t.Context()))
	for id, want := range expected {
		if got := s.seen("vm", id); got != want {
			t.Errorf("%s: %s is observed, the newest report says %s", id, got, want)
		}
		if state := map[string]fsm.State{"RUNNING": vm.Running, "STOPPED": vm.Stopped, "PAUSED": vm.Paused}[want]; state != "" && s.state("vm", id) != state {
			t.Errorf("%s is %s, the newest report says %s", id, s.state("vm", id), want)
		}
	}
}

// TestServersShareTheReports: two servers take them from one stream into one database; VMs are made on both, before and after their first report.
func TestServersShareTheReports(t *testing.T) {
	if !postgrestest.On() {
		t.Skip("SQLite has one server")
	}
	one := newSite(t)
	one.options.Batch = 20
	one.startOver(one.overNATS())
	two := newSite(t)
	two.path, two.options, two.transport = one.path, one.options, one.transport
	two.start()
	const vms, reports = 60, 12
	words := []string{"RUNNING", "STOPPED", "PAUSED"}
	states := []fsm.State{vm.Running, vm.Stopped, vm.Paused}
	last := func(n int) int { return (n*7 + reports - 1) % len(words) }
	var all sync.WaitGroup
	for part := range 4 {
		all.Go(func() {
			for m := range reports {
				for n := part; n < vms; n += 4 {
					id := fmt.Sprintf("vm-%02d", n)
					if m == n%reports {
						server := []*site{one, two}[n/reports%2]
						h, err := server.engine.Kind("vm")
						if err == nil {
							_, err = h.Create(t.Context(), &vm.VM{Object: resources.Object{ID: id}})
						}
						if err != nil {
							t.Error(err)
						}
					}
					if err := one.transport.Publish(t.Context(), one.say(m, id, words[(n*7+m)%len(words)])); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	one.until("the newest of all are taken", func() bool { // what comes again, for want of an acknowledgement, is counted again
		for n := range vms {
			if one.seen("vm", fmt.Sprintf("vm-%02d", n)) != words[last(n)] {
				return false
			}
		}
		return true
	})
	one.must(one.ingest.CheckNow(t.Context()))
	for n := range vms {
		id := fmt.Sprintf("vm-%02d", n)
		if state, seen := one.state("vm", id), one.seen("vm", id); state != states[last(n)] || seen != words[last(n)] {
			t.Errorf("%s is %s, observed as %s; its newest report says %s", id, state, seen, words[last(n)])
		}
		o, err := one.ingest.Observed(t.Context(), "vm", id)
		if err != nil || o.State != one.state("vm", id) || !o.DiffersSince.IsZero() {
			t.Errorf("beside it stands %+v, %v", o, err)
		}
	}
	if page, _, err := one.ingest.Held(t.Context(), status.HeldQuery{}); err != nil || len(page) != 0 {
		t.Errorf("still held: %+v, %v", page, err)
	}
	for _, s := range []*site{one, two} {
		t.Logf("%s", counted(status.IngestStats{}, s.ingest.Stats()))
	}
}

// TestAnOrphanThatIsTakenMeanwhileIsNone: another server reports an orphan while this one is about to take it.
func TestAnOrphanThatIsTakenMeanwhileIsNone(t *testing.T) {
	if !postgrestest.On() {
		t.Skip("SQLite has one server")
	}
	one := newSite(t)
	armed := false
	var meanwhile func()
	one.more = []resources.Listener{listeners.Funcs{ListenerName: "meanwhile", OnBefore: func(_ context.Context, c resources.Change) error {
		if c.ResourceID == "b" && armed { // the batch is being planned: what is held of x has been read
			armed = false
			meanwhile()
		}
		return nil
	}}}
	one.start()
	two := newSite(t)
	two.path, two.options = one.path, one.options
	two.start()
	one.vm("b")
	one.publish(one.say(1, "x", "RUNNING"))
	meanwhile = func() {
		two.clock.add(11 * time.Minute)
		h, err := one.engine.Kind("vm")
		err = errors.Join(err, two.ingest.CheckNow(t.Context()))
		if err == nil {
			_, err = h.Create(t.Context(), &vm.VM{Object: resources.Object{ID: "x"}})
		}
		if err != nil {
			t.Error(err)
		}
	}
	one.stop()
	for _, l := range []bridge.Letter{one.say(2, "b", "RUNNING"), one.say(2, "x", "PAUSED")} { // one batch
		one.must(one.transport.Publish(t.Context(), l))
	}
	armed = true
	one.start()
	one.until("both are applied", func() bool { return one.seen("vm", "x") == "PAUSED" })
	if orphaned, adopted := one.events("status.vm.orphaned"), one.events("status.vm.adopted"); armed || len(orphaned) != 1 || len(adopted) != 1 {
		t.Errorf("events %q and %q", orphaned, adopted)
	}
	// It took the alerts over when the other was stopped, and hears of what that writes.
	two.until("the orphan's alert is cleared", func() bool { return len(two.activeAlerts()) == 0 })
}

// A batch whose moves are vetoed falls apart into single transactions. When one of those has to be planned again, so is the batch.
func TestWhatWasStoredBeforeABatchIsPlannedAgainIsNoRepeat(t *testing.T) {
	s := newSite(t)
	armed := false
	s.more = []resources.Listener{listeners.Funcs{ListenerName: "trouble", OnBefore: func(_ context.Context, c resources.Change) error {
		if c.ResourceID == "z" && armed && s.seen("vm", "a") == "RUNNING" { // z is alone, and another server writes first
			armed = false
			return s.store.Writer().Do(context.Background(), func(tx *journal.Tx) error {
				return tx.DB().Exec("UPDATE status_observations SET revision = revision + 1 WHERE resource_id = 'z'").Error
			})
		}
		return nil
	}, OnInTx: func(_ context.Context, _ resources.Tx, c resources.Change) error {
		if strings.HasPrefix(c.ResourceID, "vetoed") && strings.HasPrefix(c.Actor, "provider:") {
			return errors.New("no")
		}
		return nil
	}}}
	s.start()
	s.vm("a")
	s.vm("z")
	s.publish(s.say(1, "z", "STOPPED"), s.say(1, "held", "STOPPED"))
	batch := []bridge.Letter{s.say(2, "a", "RUNNING"), s.say(2, "held", "RUNNING")}
	for n := range 6 {
		id := fmt.Sprint("vetoed", n)
		s.vm(id)
		batch = append(batch, s.say(2, id, "RUNNING"))
	}
	before := s.ingest.Stats()
	s.stop()
	for _, l := range append(batch, s.say(2, "z", "RUNNING")) {
		s.must(s.transport.Publish(t.Context(), l))
	}
	armed = true
	s.start()
	s.until("all are taken", func() bool { return s.seen("vm", "z") == "RUNNING" && done(s.ingest.Stats()) >= 9 })
	if c := s.ingest.Stats(); armed || c.Applied != 8 || c.Held != 1 || c.Duplicate != 0 {
		t.Errorf("armed %v, counts %+v, before %+v", armed, c, before)
	}
}
