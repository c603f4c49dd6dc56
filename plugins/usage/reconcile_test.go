package usage_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"pgregory.net/rapid"
)

// openWith is a house whose ledger sees the live resources.
func openWith(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, now: at(3600)}
	h.store, h.bus = openStore(t)
	h.options.Engine = newEngine(t, h.store, h.bus)
	var err error
	if h.vms, err = resources.Register[vm.VM](h.options.Engine, vm.Machine); err != nil {
		t.Fatal(err)
	}
	h.start()
	return h
}

func (h *house) reconcile() *usage.Reconciliation {
	h.t.Helper()
	h.settle()
	r, err := h.ledger.Reconcile(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// differences are the reconciliation's, each as a line; resources are a to z, in the order in which they were made.
func differences(r *usage.Reconciliation, ids []string) []string {
	lines := []string{}
	for _, d := range r.Differences {
		name := "?"
		if n := slices.Index(ids, d.ResourceID); n >= 0 {
			name = string(rune('a' + n))
		}
		line := fmt.Sprintf("%s %s %s %s ", d.Against, name, d.Meter, d.Reason)
		if d.Pending != "" {
			lines = append(lines, line+d.Pending)
			continue
		}
		lines = append(lines, fmt.Sprintf("%s(%d)", line, d.Seq))
	}
	slices.Sort(lines)
	return lines
}

// Two VMs: a (events 1 and 3) runs since one second past noon, b (events 2 and 4) since two seconds past.
func running(t testing.TB) (h *house, ids []string) {
	h = openWith(t)
	ids = []string{h.create("acme", 2, at(0)), h.create("bolt", 4, at(0))}
	h.fire(ids[0], vm.ReportRunning, at(1))
	h.fire(ids[1], vm.ReportRunning, at(2))
	h.settle()
	return h, ids
}

func TestReconcileFindsNothingWhereAllIsWell(t *testing.T) {
	h, _ := running(t)
	r := h.reconcile()
	if len(r.Differences) > 0 || r.Faults+r.Pending > 0 || r.Resources != 2 || r.Intervals != 4 || !slices.Equal(r.Live, []string{"vm"}) || len(r.Kinds) != 7 {
		t.Errorf("%+v", r)
	}
	if r.Events < 4 {
		t.Errorf("%d events", r.Events)
	}
}

func TestReconcileSaysWhatDiffers(t *testing.T) {
	for _, c := range []struct {
		name   string
		break_ func(h *house, a, b string) []string // statements
		want   []string
	}{
		{"an interval was closed", func(h *house, a, b string) []string {
			return []string{fmt.Sprintf("UPDATE usage_intervals SET ended_at = %d, closed_seq = 4 WHERE resource_id = '%s' AND meter = 'vm.running'", at(9).UnixNano(), a)}
		}, []string{"journal a vm.running isn't what the journal tells (%[3]d)", "resource a vm.running doesn't run, but should in running (%[3]d)"}},
		{"an interval is missing", func(h *house, a, b string) []string {
			return []string{"DELETE FROM usage_intervals WHERE meter = 'vm.running' AND resource_id = '" + b + "'"}
		}, []string{"journal b vm.running is told of by the journal, but not in the ledger (%[4]d)", "resource b vm.running doesn't run, but should in running (%[4]d)"}},
		{"an interval is of another size", func(h *house, a, b string) []string {
			return []string{"UPDATE usage_intervals SET cpus = 3 WHERE meter = 'vm.allocated' AND resource_id = '" + a + "'"}
		}, []string{"journal a vm.allocated isn't what the journal tells (%[1]d)", "resource a vm.allocated runs for another tenant or at another size (%[3]d)"}},
		{"an interval is of another tenant", func(h *house, a, b string) []string {
			return []string{"UPDATE usage_intervals SET tenant = 'bolt' WHERE meter = 'vm.allocated' AND resource_id = '" + a + "'"}
		}, []string{"journal a vm.allocated isn't what the journal tells (%[1]d)", "resource a vm.allocated runs for another tenant or at another size (%[3]d)"}},
		{"an interval began at another time", func(h *house, a, b string) []string {
			return []string{"UPDATE usage_intervals SET started_at = started_at + 1 WHERE meter = 'vm.running' AND resource_id = '" + a + "'"}
		}, []string{"journal a vm.running isn't what the journal tells (%[3]d)"}},
		{"an interval is of no resource", func(h *house, a, b string) []string {
			return []string{"INSERT INTO usage_intervals VALUES (1, 'vm.paused', 'acme', 'vm', 'ghost', 1, 1, 0, 0, 1, 0, 0)"}
		}, []string{"resource ? vm.paused runs, but the resource is gone (0)"}},
		{"an interval that nothing opened", func(h *house, a, b string) []string {
			return []string{"INSERT INTO usage_intervals VALUES (2, 'vm.paused', 'acme', 'vm', '" + a + "', 1, 1, 0, 0, 1, 5, 3)"}
		}, []string{"journal a vm.paused is in the ledger, but the journal tells of none (2)"}},
		{"a resource is gone", func(h *house, a, b string) []string { return []string{"DELETE FROM vms WHERE id = '" + a + "'"} },
			[]string{"resource a vm.allocated runs, but the resource is gone (%[3]d)", "resource a vm.running runs, but the resource is gone (%[3]d)"}},
		{"a resource was changed behind the engine's back", func(h *house, a, b string) []string {
			return []string{"UPDATE vms SET state = 'stopped', cpus = 1 WHERE id = '" + b + "'"}
		}, []string{"resource b vm.allocated runs for another tenant or at another size (%[4]d)", "resource b vm.running runs, but not in stopped (%[4]d)"}},
		{"the ledger is behind", func(h *house, a, b string) []string {
			h.fire(a, vm.ReportStopped, at(50))
			h.settle()
			h.storedUpTo(h.lastSeq()) // a position is stored a while after what it covers was handled
			return []string{"UPDATE journal_cursor SET seq = (SELECT seq - 1 FROM journal WHERE type = 'vm.state.stopped') WHERE name = 'usage'"}
		}, []string{"resource a vm.running runs, but not in stopped behind"}},
		{"events can't be read", func(h *house, a, b string) []string {
			return []string{"UPDATE journal SET data = '[]' WHERE type = 'vm.state.running' AND resource_id = '" + a + "'"}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, ids := running(t)
			var seqs []any
			for _, id := range ids {
				seqs = append(seqs, h.seq("vm.created", id))
			}
			for _, id := range ids {
				seqs = append(seqs, h.seq("vm.state.running", id))
			}
			h.write(c.break_(h, ids[0], ids[1])...)
			r, err := h.ledger.Reconcile(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := differences(r, ids)
			if c.want == nil {
				if len(got) != 1 || !strings.Contains(got[0], "can't be read: bus: ") {
					t.Errorf("differences %q", got)
				}
				return
			}
			var want []string
			for _, w := range c.want {
				if strings.Contains(w, "%") {
					w = fmt.Sprintf(w+"%[5]s", append(seqs, "")...)
				}
				want = append(want, w)
			}
			if !slices.Equal(got, want) {
				t.Errorf("differences\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if int(r.Faults+r.Pending) != len(got) {
				t.Errorf("%d faults and %d pending are %d differences", r.Faults, r.Pending, len(got))
			}
		})
	}
}

// seq is the number of a resource's event.
// storedUpTo waits until the ledger's stored position is a number.
func (h *house) storedUpTo(seq uint64) {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; runtime.Gosched() {
		var at uint64
		if err := h.store.Writer().DB().Raw("SELECT seq FROM journal_cursor WHERE name = ?", usage.Name).Scan(&at).Error; err != nil {
			h.t.Fatal(err)
		}
		if at >= seq {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("the ledger's stored position is %d, not %d", at, seq)
		}
	}
}

func (h *house) lastSeq() (seq uint64) {
	h.t.Helper()
	if err := h.store.Writer().DB().Raw("SELECT max(seq) FROM journal").Scan(&seq).Error; err != nil {
		h.t.Fatal(err)
	}
	return seq
}

func (h *house) seq(eventType, id string) uint64 {
	h.t.Helper()
	var seq uint64
	if err := h.store.Writer().DB().Raw("SELECT seq FROM journal WHERE type = ? AND resource_id = ?", eventType, id).Scan(&seq).Error; err != nil {
		h.t.Fatal(err)
	}
	return seq
}

// However VMs were moved and resized, and however much of the journal is gone, the ledger is what both tell; without an engine it is compared with the journal alone.
func TestReconcileAfterRandomWalks(t *testing.T) {
	h := openWith(t)
	rapid.Check(t, func(t *rapid.T) {
		ids := []string{h.create("acme", 1, at(0)), h.create("bolt", 1, at(0))}
		for range rapid.IntRange(0, 8).Draw(t, "steps") {
			id := rapid.SampledFrom(ids).Draw(t, "id")
			if rapid.IntRange(0, 4).Draw(t, "resize") == 0 {
				cpus := rapid.IntRange(1, 3).Draw(t, "cpus")
				if _, err := h.vms.Update(h.t.Context(), id, func(v *vm.VM) error { v.CPUs = cpus; return nil }); err != nil && !errors.Is(err, resources.ErrRemoved) {
					t.Fatal(err)
				}
				continue
			}
			allowed, err := h.vms.Allowed(h.t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.vms.Fire(h.t.Context(), id, rapid.SampledFrom(allowed).Draw(t, "on")); err != nil {
				t.Fatal(err)
			}
		}
		h.settle()
		_, last, err := h.bus.Journal().Bounds(h.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.write(fmt.Sprintf("DELETE FROM journal WHERE seq <= %d", last-uint64(rapid.IntRange(1, 20).Draw(t, "left"))))
		if r := h.reconcile(); r.Faults+r.Pending > 0 {
			t.Fatalf("differences %q", differences(r, ids))
		}
	})
}

func TestReconcileByPages(t *testing.T) {
	h := openWith(t)
	var vms []vm.VM
	for n := range 1000 {
		v := vm.VM{CPUs: 1}
		v.ID = fmt.Sprintf("vm-%04d", n)
		vms = append(vms, v)
	}
	if _, err := h.vms.CreateBatch(t.Context(), vms); err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.write("DELETE FROM vms WHERE id > 'vm-0100' AND id < 'vm-0800'", "DELETE FROM journal WHERE resource_id < 'vm-0900'", "DELETE FROM usage_intervals WHERE resource_id > 'vm-0990'")
	r := h.reconcile()
	if r.Resources != 301 || r.Intervals != 991 || r.Faults != 699+9+9 || len(r.Differences) != 717 {
		t.Errorf("%d resources, %d intervals, %d faults, %d differences", r.Resources, r.Intervals, r.Faults, len(r.Differences))
	}
}

func TestReconcileTellsOfParkedResources(t *testing.T) {
	h, ids := running(t)
	h.write("DELETE FROM usage_intervals WHERE meter = 'vm.running' AND resource_id = '"+ids[0]+"'",
		`INSERT INTO journal_parked (subscription, seq, id, type, schema, kind, resource_id, version, tenant, actor, source, time, recorded_at, correlation_id, causation_id, trace_parent, data, reason, tries, parked_at)
		SELECT 'usage', seq, id, type, schema, kind, resource_id, version, tenant, actor, source, time, recorded_at, correlation_id, causation_id, trace_parent, data, 'no size', 3, 1
		FROM journal WHERE type = 'vm.state.running' AND resource_id = '`+ids[0]+"'")
	r := h.reconcile()
	if r.Pending != 2 || r.Faults != 0 || len(r.Differences) != 2 || r.Differences[0].Pending != usage.Parked || r.Differences[1].Pending != usage.Parked {
		t.Errorf("differences %+v", r.Differences)
	}
}

func TestReconcileTellsOfSizesThatCannotBeTold(t *testing.T) {
	h, ids := running(t)
	h.write("UPDATE vms SET cpus = 13 WHERE id = '" + ids[1] + "'")
	h.options.Meters = []usage.Meter{{Kind: "vm", Name: "vm.running", States: fsm.States(vm.Running), Size: func(v any) (usage.Size, error) {
		if v.(*vm.VM).CPUs == 13 {
			return usage.Size{}, errors.New("an unlucky number")
		}
		return usage.Size{CPUs: int64(v.(*vm.VM).CPUs), MemoryMiB: v.(*vm.VM).MemoryMiB}, nil
	}}}
	h.write("DELETE FROM usage_intervals WHERE meter <> 'vm.running'")
	if err := h.manager.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.start()
	want := []string{fmt.Sprintf("resource b vm.running runs, but at what size it should can't be told: meter vm.running: an unlucky number (%d)", h.seq("vm.state.running", ids[1]))}
	if got := differences(h.reconcile(), ids); !slices.Equal(got, want) {
		t.Errorf("differences %q, want %q", got, want)
	}
}

func TestHTTPReconcile(t *testing.T) {
	h, _ := running(t)
	get := func(query string) (int, string) {
		w := httptest.NewRecorder()
		h.manager.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/v1/usage/reconcile"+query, nil))
		return w.Code, w.Body.String()
	}
	if status, body := get(""); status != 200 || !strings.Contains(body, `"resources":2,"intervals":4,`) || !strings.Contains(body, `"faults":0,"pending":0,"differences":[]`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := get("?apply=true"); status != 400 || !strings.Contains(body, "unknown parameter") {
		t.Errorf("%d %s", status, body)
	}
}
