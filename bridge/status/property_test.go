package status_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
	"pgregory.net/rapid"
)

// trial is a random life of a reporter: changes, faults, restarts.
type trial struct {
	t       *testing.T
	m       *transporttest.Memory
	path    string
	options status.ReporterOptions
	r       *status.Reporter
	calm    bool // nothing fails
	latest  map[string]status.Status
	moves   int
}

func (tr *trial) start() {
	o := tr.options
	if tr.path != "" {
		o.Spool = openSpool(tr.t, tr.path)
	}
	failing := &flaky{Memory: tr.m, publish: func(ctx context.Context, _ bridge.Letter) error {
		time.Sleep(rand.N(30 * time.Millisecond)) // the broker takes its time
		if !tr.calm && rand.IntN(10) == 0 {
			return errors.New("not this time")
		}
		return ctx.Err()
	}}
	tr.r = newReporter(tr.t, failing, o)
}

func (tr *trial) step(kind, resource, word int) {
	words := status.VM.Statuses
	switch {
	case kind < 70:
		id := fmt.Sprint(resource)
		tr.latest[id] = words[word%len(words)]
		report(tr.t, tr.r, id, tr.latest[id])
		tr.moves++
	case kind < 90 || tr.calm && tr.path == "":
		time.Sleep(time.Duration(word) * 37 * time.Millisecond)
	case kind < 93 && !tr.calm:
		tr.m.Away(true)
	case kind < 96 && !tr.calm:
		tr.m.Away(false)
	case kind < 98 && !tr.calm:
		tr.m.LoseAcks(word % 4)
	case tr.path != "":
		ctx, cancel := context.WithTimeout(background, 10*time.Second)
		defer cancel()
		if err := tr.r.Close(ctx); err != nil {
			tr.t.Fatal(err)
		}
		tr.start()
	}
}

// check holds what is promised: the last state of every resource always arrives; ids differ and sequences rise in the stream's order;
// no status comes twice in a row as long as nothing fails.
func (tr *trial) check() {
	all := received(tr.t, tr.m)
	rising(tr.t, all)
	last := map[string]status.Status{}
	for _, g := range all {
		if tr.calm && last[g.ResourceID] == g.Status {
			tr.t.Errorf("%s is reported as %s twice in a row", g.ResourceID, g.Status)
		}
		last[g.ResourceID] = g.Status
	}
	for id, want := range tr.latest {
		if last[id] != want {
			tr.t.Errorf("%s is %s, last reported as %q", id, want, last[id])
		}
	}
	if len(all) > 3*tr.moves {
		tr.t.Errorf("%d reports of %d observations", len(all), tr.moves)
	}
}

func TestTheLastStateAlwaysArrivesInOrder(t *testing.T) {
	for _, spooled := range []bool{false, true} {
		t.Run(fmt.Sprintf("spool=%v", spooled), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) [3]int {
					return [3]int{rapid.IntRange(0, 99).Draw(rt, "kind"), rapid.IntRange(0, 4).Draw(rt, "resource"), rapid.IntRange(0, 40).Draw(rt, "word")}
				}), 1, 80).Draw(rt, "steps")
				calm := rapid.Bool().Draw(rt, "calm")
				ok := t.Run("trial", func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						tr := &trial{t: t, m: transporttest.New(), calm: calm, latest: map[string]status.Status{}, options: status.ReporterOptions{Resync: -1, Lanes: 2}}
						if spooled {
							tr.path = filepath.Join(t.TempDir(), "spool")
						}
						tr.start()
						for _, s := range steps {
							tr.step(s[0], s[1], s[2])
						}
						tr.m.Away(false)
						closeReporter(t, tr.r)
						tr.check()
					})
				})
				if !ok {
					rt.Fatalf("see the trial of these steps: %v", steps)
				}
			})
		})
	}
}
