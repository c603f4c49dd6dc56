package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// start makes a gadget that has been starting since a time.
func (r *rig) start(t *testing.T, id string, at time.Time) {
	t.Helper()
	must[*Gadget](t)(r.gadgets.Create(t.Context(), Gadget{Object: resources.Object{ID: id, Tenant: "acme"}}, resources.At(at)))
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), id, StartRequested, resources.At(at)))
}

// scrap makes a gadget that has been gone since a time.
func (r *rig) scrap(t *testing.T, id string, at time.Time) {
	t.Helper()
	must[*Gadget](t)(r.gadgets.Create(t.Context(), Gadget{Object: resources.Object{ID: id}}, resources.At(at)))
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), id, ScrapRequested, resources.At(at)))
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), id, Succeeded, resources.At(at)))
}

func idsOf(objs []any) []string {
	var ids []string
	for _, obj := range objs {
		ids = append(ids, resources.ObjectOf(obj).ID)
	}
	return ids
}

func (r *rig) report(t *testing.T, id string, at time.Time) (times int) {
	t.Helper()
	info := r.gadgets.Handle().Info()
	err := r.store.Do(t.Context(), func(tx resources.StoreTx) (err error) {
		obj, err := tx.Load(info, id)
		if err == nil {
			times, err = tx.Report(info, obj, at)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return times
}

func testStays(t *testing.T, open Open) {
	r := newRig(t, open)
	info, day := r.gadgets.Handle().Info(), time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	hour := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
	for i, id := range []string{"d", "c", "b", "a"} {
		r.start(t, id, hour(i))
	}
	r.start(t, "e", hour(1)) // as early as c
	r.start(t, "left", hour(0))
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), "left", Succeeded, resources.At(hour(1))))
	check := func(what, want string, got []any, err error) {
		t.Helper()
		if ids := strings.Join(idsOf(got), " "); err != nil || ids != want {
			t.Errorf("%s: %q, %v, want %q", what, ids, err, want)
		}
	}
	query := func(q resources.StayQuery, want string) {
		t.Helper()
		q.State = Starting
		got, err := r.store.Stays(t.Context(), info, q)
		check("Stays", want, got, err)
	}
	query(resources.StayQuery{Until: hour(-1), Limit: 10}, "")
	query(resources.StayQuery{Until: hour(3), Limit: 10}, "d c e b a")
	query(resources.StayQuery{Until: hour(3), Limit: 2}, "d c")
	query(resources.StayQuery{Until: hour(3), Limit: 2, After: &resources.Object{ID: "c", StateSince: hour(1)}}, "e b")
	query(resources.StayQuery{Until: hour(1), Limit: 9, After: &resources.Object{ID: "c", StateSince: hour(1)}}, "e")

	overdue := func(until time.Time, n int, want ...string) {
		t.Helper()
		got, err := r.store.Overdue(t.Context(), info, Starting, until, n)
		ids := idsOf(got)
		if slices.Sort(ids); err != nil || !slices.Equal(ids, want) {
			t.Errorf("Overdue: %q, %v, want %q", ids, err, want)
		}
	}
	next := func(after, want time.Time) {
		t.Helper()
		if got, err := r.store.NextStay(t.Context(), info, Starting, after); err != nil || !got.Equal(want) {
			t.Errorf("NextStay after %s: %s, %v, want %s", after, got, err, want)
		}
	}
	overdue(hour(1), 10, "c", "d", "e")
	overdue(hour(1), 1, "d")
	next(hour(-1), hour(0))
	next(hour(1), hour(2))
	next(hour(3), time.Time{})
	r.report(t, "d", hour(2)) // due again two hours after it came
	overdue(hour(1), 10, "c", "e")
	overdue(hour(2), 10, "b", "c", "d", "e")
	next(hour(1).Add(1), hour(2))
	r.report(t, "d", hour(7))
	next(hour(3), hour(7))
}

func testReports(t *testing.T, open Open) {
	r := newRig(t, open)
	info, day := r.gadgets.Handle().Info(), time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	r.start(t, "a", day)
	for i, c := range []struct {
		at   time.Duration
		want int
	}{{1, 1}, {1, 0}, {0, 0}, {5, 2}, {2, 0}} {
		if got := r.report(t, "a", day.Add(c.at)); got != c.want {
			t.Errorf("report %d: %d times, want %d", i, got, c.want)
		}
	}
	err := r.store.Do(t.Context(), func(tx resources.StoreTx) error {
		obj := must[any](t)(tx.Load(info, "a"))
		if n, err := tx.Report(info, obj, day.Add(9)); n != 3 || err != nil {
			t.Errorf("in a member that fails: %d, %v, want 3", n, err)
		}
		return errVeto
	})
	if !errors.Is(err, errVeto) {
		t.Fatal(err)
	}
	if got := r.report(t, "a", day.Add(9)); got != 3 {
		t.Errorf("after a member that failed: %d times, want 3", got)
	}
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), "a", Failed, resources.At(day)))
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), "a", StartRequested, resources.At(day)))
	if got := r.report(t, "a", day.Add(1)); got != 1 {
		t.Errorf("of another stay: %d times, want 1", got)
	}
	forget := func() {
		t.Helper()
		if err := r.store.Do(t.Context(), func(tx resources.StoreTx) error { return tx.ForgetReports(info, Starting, day.Add(10)) }); err != nil {
			t.Fatal(err)
		}
	}
	forget()
	if got := r.report(t, "a", day.Add(1)); got != 0 {
		t.Errorf("a stay that isn't over was forgotten: %d times", got)
	}
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), "a", Succeeded))
	forget()
	if got, err := r.store.NextStay(t.Context(), info, Starting, day); err != nil || !got.IsZero() {
		t.Errorf("a stay that is over wasn't forgotten: %s, %v", got, err)
	}
}

func testDelete(t *testing.T, open Open) {
	r := newRig(t, open)
	info := r.gadgets.Handle().Info()
	r.create(t, Gadget{Object: resources.Object{ID: "a"}, Label: "first"})
	remove := func(id string, version uint64, after error) error {
		return r.store.Do(t.Context(), func(tx resources.StoreTx) error {
			if err := tx.Delete(info, id, version); err != nil {
				return err
			}
			if _, err := tx.Load(info, id); !errors.Is(err, resources.ErrNotFound) {
				t.Errorf("the member still sees it: %v", err)
			}
			return after
		})
	}
	if err := remove("a", 2, nil); !errors.Is(err, resources.ErrConflict) {
		t.Errorf("another version: %v, want ErrConflict", err)
	}
	if err := remove("b", 1, nil); !errors.Is(err, resources.ErrConflict) {
		t.Errorf("what isn't there: %v, want ErrConflict", err)
	}
	if err := remove("a", 1, errVeto); !errors.Is(err, errVeto) {
		t.Error(err)
	}
	must[*Gadget](t)(r.gadgets.Get(t.Context(), "a"))
	if err := remove("a", 1, nil); err != nil {
		t.Error(err)
	}
	if _, err := r.gadgets.Get(t.Context(), "a"); !errors.Is(err, resources.ErrNotFound) {
		t.Errorf("after it was deleted: %v, want ErrNotFound", err)
	}
	if page := must[resources.Page[Gadget]](t)(r.gadgets.List(t.Context(), resources.Query{})); len(page.Items) != 0 {
		t.Errorf("%d are listed", len(page.Items))
	}
	if again := r.create(t, Gadget{Object: resources.Object{ID: "a"}}); again.Version != 1 || again.Label != "" {
		t.Errorf("the id taken again: %+v", again)
	}
}

// stuck lists the reports that were posted, as "id times".
func (r *rig) stuck(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, record := range r.records(t) {
		if record.Type == "gadget.stuck" {
			all = append(all, fmt.Sprintf("%s v%d %s", record.ResourceID, record.Version, record.Tenant))
		}
	}
	return all
}

func testStuck(t *testing.T, open Open) {
	r := newRig(t, open)
	now := time.Now()
	for i := range 70 { // more than one member takes
		r.start(t, fmt.Sprintf("late%02d", i), now.Add(-time.Hour))
	}
	r.start(t, "early", now.Add(-time.Second))
	check := func(want int) {
		t.Helper()
		if n, err := r.engine.ReportStuck(t.Context()); n != want || err != nil {
			t.Errorf("%d were reported (%v), want %d", n, err, want)
		}
	}
	check(70)
	check(0)
	if got := r.stuck(t); len(got) != 70 || got[0] != "late00 v2 acme" {
		t.Fatalf("reports %q", got)
	}
	r.close(t)
	again := newEngine(t, r.store) // another server on the same database, or the same one after a restart
	gadgets := must[*resources.Kind[Gadget]](t)(resources.Register[Gadget](again.engine, Machine))
	r.engine, r.bus, r.gadgets = again.engine, again.bus, gadgets
	check(0)
	must[GadgetChanged](t)(gadgets.Fire(t.Context(), "late01", Failed))
	must[GadgetChanged](t)(gadgets.Fire(t.Context(), "late01", StartRequested, resources.At(now)))
	check(0)
}

func testPurge(t *testing.T, open Open) {
	r := newRig(t, open)
	now := time.Now()
	for i := range 40 { // more than one member takes
		r.scrap(t, fmt.Sprintf("old%02d", i), now.Add(-48*time.Hour))
	}
	r.scrap(t, "new", now.Add(-time.Hour))
	r.start(t, "on", now.Add(-48*time.Hour))
	before := len(r.records(t))
	done, err := r.gadgets.Purge(t.Context(), 24*time.Hour, resources.Actor("cron"))
	if err != nil || done != (resources.Purged{Removed: 40}) {
		t.Fatalf("%+v, %v, want 40 that are removed", done, err)
	}
	page := must[resources.Page[Gadget]](t)(r.gadgets.List(t.Context(), resources.Query{}))
	if len(page.Items) != 2 || page.Items[0].ID != "new" || page.Items[1].ID != "on" {
		t.Errorf("%d are left, want new and on", len(page.Items))
	}
	events := r.records(t)[before:]
	if len(events) != 40 {
		t.Fatalf("%d events, want 40", len(events))
	}
	for i, e := range events {
		if id := fmt.Sprintf("old%02d", i); e.Type != "gadget.removed" || e.ResourceID != id || e.Version != 4 || e.Actor != "cron" {
			t.Errorf("event %d is %s of %s v%d by %q, want gadget.removed of %s v4 by cron", i, e.Type, e.ResourceID, e.Version, e.Actor, id)
		}
	}
	if done, err := r.gadgets.Purge(t.Context(), 24*time.Hour); err != nil || done != (resources.Purged{}) {
		t.Errorf("once more: %+v, %v", done, err)
	}
}

func testBatch(t *testing.T, open Open) {
	r := newRig(t, open)
	all := make([]Gadget, 1000)
	for i := range all {
		all[i] = Gadget{Label: fmt.Sprint(i), Tags: []string{"x"}}
	}
	made, err := r.gadgets.CreateBatch(t.Context(), all, resources.Actor("import"))
	if err != nil || len(made) != 1000 {
		t.Fatalf("%d were made: %v", len(made), err)
	}
	records := r.records(t)
	if len(records) != 1000 {
		t.Fatalf("%d events, want 1,000", len(records))
	}
	for i, g := range made {
		if g.Label != fmt.Sprint(i) || g.Version != 1 || records[i].ResourceID != g.ID || records[i].Type != "gadget.created" || records[i].Actor != "import" {
			t.Fatalf("number %d: %+v, event %s of %s", i, *g, records[i].Type, records[i].ResourceID)
		}
	}
	if got := must[*Gadget](t)(r.gadgets.Get(t.Context(), made[999].ID)); got.Label != "999" {
		t.Errorf("the last: %+v", got)
	}
	_, err = r.gadgets.CreateBatch(t.Context(), []Gadget{{}, {}, {Object: resources.Object{ID: made[0].ID}}, {}})
	at := new(resources.BatchError)
	if !errors.As(err, &at) || at.Index != 2 || at.ID != made[0].ID || !errors.Is(err, resources.ErrExists) {
		t.Errorf("an id that is taken: %v, want a BatchError about number 2 that is ErrExists", err)
	}
	if n := len(r.records(t)); n != 1000 {
		t.Errorf("%d events after a batch that failed, want 1,000", n)
	}
	counts := must[map[fsm.State]int64](t)(r.gadgets.Handle().CountStates(t.Context()))
	if counts[Off] != 1000 {
		t.Errorf("%d gadgets after a batch that failed, want 1,000", counts[Off])
	}
}
