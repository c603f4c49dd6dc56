package gormstore_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/all"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
)

// relations are the fields by which resources of a kind belong to others.
var relations = map[string][]string{
	"vm":        {"host_id", "template_id"},
	"volume":    {"vm_id", "template_id", "snapshot_id"},
	"nic":       {"vm_id", "network_id"},
	"public_ip": {"network_id", "vm_id", "nic_id"},
	"snapshot":  {"volume_id", "parent_id"},
	"template":  {"volume_id", "snapshot_id"},
	"container": {"cluster_id", "vm_id"},
	"cluster":   {"network_id", "template_id"},
}

// witness is a store that keeps what it is told of kinds.
type witness struct {
	*gormstore.Store
	kinds map[string]*resources.Info
}

func (w *witness) Bind(ctx context.Context, k *resources.Info) error {
	w.kinds[k.Name] = k
	return w.Store.Bind(ctx, k)
}

func allKinds(t *testing.T) *witness {
	t.Helper()
	w := &witness{open(t), map[string]*resources.Info{}}
	b := bus.New(bus.Options{Journal: w.Journal(), Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	e, err := resources.New(resources.Options{Store: w, Bus: b})
	if err == nil {
		err = all.Register(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// A VM's volumes are asked for whenever it goes: that takes the same among a million volumes as among a thousand, on each page.
func TestRelationsAreListedByTheirIndex(t *testing.T) {
	w := allKinds(t)
	for kind, fields := range relations {
		k := w.kinds[kind]
		if _, err := w.CountStates(t.Context(), k); err != nil { // EXPLAIN doesn't notice that the schema has changed
			t.Fatal(err)
		}
		for _, field := range fields {
			for name, q := range map[string]resources.Query{
				"first page":        {Where: map[string]any{field: "42"}},
				"next page":         {Where: map[string]any{field: "42"}, After: "7"},
				"of one tenant":     {Where: map[string]any{field: "42"}, Tenant: "acme", After: "7"},
				"several in a page": {Where: map[string]any{field: []string{"42", "43"}}, After: "7"},
			} {
				plan := planOf(t, w, k, q)
				by := fmt.Sprintf("(%s=?", field)
				if q.After != "" {
					by += " AND id>?"
				}
				several := name == "several in a page"
				if !strings.Contains(plan, by) || strings.Contains(plan, "TEMP B-TREE") && !several {
					t.Errorf("%s by %s, %s: planned as\n%s", kind, field, name, plan)
				}
			}
		}
	}
}

func planOf(t *testing.T, w *witness, k *resources.Info, q resources.Query) string {
	t.Helper()
	text, args, err := w.ListText(k, q)
	if err != nil {
		t.Fatal(err)
	}
	var steps []struct{ Detail string }
	if err := w.Writer().DB().Raw("EXPLAIN QUERY PLAN "+text, args...).Scan(&steps).Error; err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for _, s := range steps {
		plan.WriteString(s.Detail + "\n")
	}
	return plan.String()
}

// TestRelationsAreAllOfThem: a new field that names another kind needs a row above, and with it an index.
func TestRelationsAreAllOfThem(t *testing.T) {
	w := allKinds(t)
	for name, k := range w.kinds {
		for _, f := range k.Fields {
			target, isID := strings.CutSuffix(f.Name, "_id")
			if _, known := w.kinds[target]; isID && known && !slices.Contains(relations[name], f.Name) {
				t.Errorf("%s.%s leads to a %s, but isn't among the relations", name, f.Name, target)
			}
		}
	}
}
