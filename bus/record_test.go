package bus_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

func TestRecordCheck(t *testing.T) {
	whole := func() bus.Record {
		return bus.Record{
			Header: bus.Header{ID: bus.NewID(time.Now()), Type: "vm.created", Schema: 1, Source: "cloudbus/eu2", Kind: "vm", ResourceID: "42", Time: time.Now().UTC()},
			Data:   []byte(`{"a":1}`),
		}
	}
	good := whole()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*bus.Record){
		"type":    func(r *bus.Record) { r.Type = "vm..created" },
		"id":      func(r *bus.Record) { r.ID = bus.ID{} },
		"source":  func(r *bus.Record) { r.Source = "" },
		"kind":    func(r *bus.Record) { r.Kind = "a b" },
		"tenant":  func(r *bus.Record) { r.Tenant = "a\x00" },
		"time":    func(r *bus.Record) { r.Time = time.Time{} },
		"year":    func(r *bus.Record) { r.Time = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"schema":  func(r *bus.Record) { r.Schema = 0 },
		"version": func(r *bus.Record) { r.Version = 1 << 63 },
	} {
		r := whole()
		spoil(&r)
		var wrong *bus.HeaderError
		if err := r.Check(); !errors.As(err, &wrong) {
			t.Errorf("%s: %v, want a *bus.HeaderError", name, err)
		}
	}
	for _, data := range []string{"", "{", "\"\xff\"", "{} {}"} {
		r := whole()
		r.Data = []byte(data)
		var wrong *bus.PayloadError
		if err := r.Check(); !errors.As(err, &wrong) {
			t.Errorf("data %q: %v, want a *bus.PayloadError", data, err)
		}
	}
}
