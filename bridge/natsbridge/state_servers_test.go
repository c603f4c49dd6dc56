package natsbridge_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestServersSeedStatesTogether(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.Schema(t)
	b := newBroker(t).start()
	o := natsbridge.Options{URL: b.url(), State: true}
	one := newHouse(t, dsn, o)
	var ids []string
	for range 50 {
		ids = append(ids, one.create("acme").ID)
	}
	eventually(t, one.states(b, ids, 1))
	one.close()
	stream, err := b.jetStream().Stream(t.Context(), bridge.StateRoot)
	must(t, err)
	must(t, stream.Purge(t.Context()))

	t.Log("both start, and the resources move meanwhile")
	one = newHouse(t, dsn, o)
	for _, id := range ids {
		one.fire(id, vm.StartRequested)
	}
	two := newHouse(t, dsn, o)
	for _, id := range ids {
		two.fire(id, vm.OperationSucceeded)
	}
	eventually(t, two.states(b, ids, 3))

	t.Log("the stream is made anew")
	b.stop()
	b.options.StoreDir = t.TempDir()
	b.start()
	for _, id := range ids[:25] {
		one.fire(id, vm.StopRequested, vm.OperationSucceeded)
	}
	eventually(t, one.states(b, ids[:25], 5))
	eventually(t, one.states(b, ids[25:], 3))
}

// states is nil when the stream has the newest state of each VM, of that version.
func (h *house) states(b *broker, ids []string, version uint64) func() error {
	return func() error {
		stream, err := b.jetStream().Stream(h.t.Context(), bridge.StateRoot)
		if err != nil {
			return err
		}
		have := map[string]uint64{}
		for _, id := range ids {
			subject, err := bridge.StateSubject("acme", "vm", id)
			must(h.t, err)
			m, err := stream.GetLastMsgForSubject(h.t.Context(), subject)
			if err != nil {
				return err
			}
			e, err := bridge.DecodeLetter(bridge.Letter{Header: m.Header, Data: m.Data})
			must(h.t, err)
			var data struct{ Resource vm.VM }
			must(h.t, json.Unmarshal(e.Payload, &data))
			if data.Resource.Version != e.Version {
				h.t.Fatalf("the event of version %d has one of version %d", e.Version, data.Resource.Version)
			}
			have[id] = e.Version
		}
		if wrong := slices.DeleteFunc(slices.Collect(maps.Values(have)), func(v uint64) bool { return v == version }); len(wrong) > 0 {
			return fmt.Errorf("%d states aren't of version %d but %v", len(wrong), version, wrong)
		}
		return nil
	}
}
