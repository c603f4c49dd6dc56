package usage_test

import (
	"encoding/json"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// grown registers a kind, creates one resource of 10 GiB, fires triggers a minute after the other, the first at noon, lets grow make it larger with the last or, if that is "", by an
// update, and ends ten minutes past noon.
func grown[T any](h *house, e *resources.Engine, m *fsm.Machine, v T, grow func(*T) error, last fsm.Trigger, triggers ...fsm.Trigger) {
	h.t.Helper()
	kind, err := resources.Register[T](e, m)
	if err != nil {
		h.t.Fatal(err)
	}
	made, err := kind.Create(h.t.Context(), v, resources.At(at(0)))
	if err != nil {
		h.t.Fatal(err)
	}
	id, minute := resources.ObjectOf(made).ID, 0.0
	for _, on := range triggers {
		if _, err := kind.Fire(h.t.Context(), id, on, resources.At(at(60*minute))); err != nil {
			h.t.Fatal(err)
		}
		minute++
	}
	if last != "" {
		_, err = kind.Fire(h.t.Context(), id, last, kind.Set(grow), resources.At(at(60*minute)))
	} else {
		_, err = kind.Update(h.t.Context(), id, grow, resources.At(at(60*minute)))
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// TestResizesCloseAndOpen: a volume that is resized is billed at its old size until the resize has succeeded, and through a failed one; snapshots and templates grow by updates.
func TestResizesCloseAndOpen(t *testing.T) {
	h := open(t)
	h.now = at(600)
	e := newEngine(t, h.store, h.bus)
	grown(h, e, volume.Machine, volume.Volume{SizeGiB: 10}, func(v *volume.Volume) error { v.SizeGiB = 20; return nil }, volume.OperationSucceeded,
		volume.CreateRequested, volume.OperationSucceeded, volume.ResizeRequested, volume.OperationFailed, volume.ResizeRequested)
	grown(h, e, snapshot.Machine, snapshot.Snapshot{SizeGiB: 10}, func(s *snapshot.Snapshot) error { s.SizeGiB = 20; return nil }, "",
		snapshot.CreateRequested, snapshot.OperationSucceeded, snapshot.BackupRequested)
	grown(h, e, template.Machine, template.Template{SizeGiB: 10}, func(v *template.Template) error { v.SizeGiB = 20; return nil }, "",
		template.UploadRequested, template.OperationSucceeded, template.DeactivateRequested)
	h.settle()
	got, err := json.Marshal(h.report(t, usage.Query{By: []string{usage.ByMeter, usage.BySize}}))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"meter":"snapshot.stored","gib":10,"seconds":120,"corrections":0,"total":120,"intervals":1,"open":0},` +
		`{"meter":"snapshot.stored","gib":20,"seconds":420,"corrections":0,"total":420,"intervals":1,"open":1},` +
		`{"meter":"template.stored","gib":10,"seconds":120,"corrections":0,"total":120,"intervals":1,"open":0},` +
		`{"meter":"template.stored","gib":20,"seconds":420,"corrections":0,"total":420,"intervals":1,"open":1},` +
		`{"meter":"volume.allocated","gib":10,"seconds":240,"corrections":0,"total":240,"intervals":1,"open":0},` +
		`{"meter":"volume.allocated","gib":20,"seconds":300,"corrections":0,"total":300,"intervals":1,"open":1}]`
	if string(got) != want {
		t.Errorf("rows\n%s\nwant\n%s", got, want)
	}
}
