package eventlog_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
	"github.com/cloudbus-go/cloudbus/plugins/plugintest"
)

func TestPlugin(t *testing.T) {
	plugintest.Run(t, func() plugins.Plugin { return eventlog.New(eventlog.Options{Linger: -1}) },
		plugintest.Database(func(t testing.TB) *bus.Bus {
			_, b := openBus(t, time.Now)
			return b
		}),
		plugintest.Config(`{"retention": [{"type": "usage.>", "keep": "720h"}, {"type": ">", "keep": "8760h"}], "sweep_every": "1h"}`),
		plugintest.Feed(func(t testing.TB, b *bus.Bus) {
			j := b.Journal().(*journal.Journal)
			for i := range 100 {
				err := j.Do(t.Context(), func(tx *journal.Tx) error {
					_, err := tx.Append(say("vm.created", fmt.Sprint("web-", i%7), map[string]any{"n": i, "message": "some words"}).said)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}))
}

// TestEveryEventIsInTheLogOnce records events one by one and many at a time, with restarts between.
func TestEveryEventIsInTheLogOnce(t *testing.T) {
	h := open(t, `{}`)
	for n := 1; n <= 500; n = n*3 + 1 {
		h.record(many(n, "vm.created")...)
		h.stop()
		h.append(many(2*n, "volume.created")...)
		h.start(`{}`)
		h.settle()
	}
	_, last, err := h.store.Writer().Bounds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := seqs(h.all(eventlog.Query{Order: eventlog.Oldest, Limit: 1000}))
	if uint64(len(got)) != last {
		t.Fatalf("the log has %d events, the journal %d", len(got), last)
	}
	for i, seq := range got {
		if seq != uint64(i+1) {
			t.Fatalf("event %d is number %d", i+1, seq)
		}
	}
}

func TestAnEventIsAsTheJournalHasIt(t *testing.T) {
	h := open(t, `{}`)
	n := say("vm.created", "web-1", map[string]any{"a": "<b> & \"c\"", "n": 1.5})
	n.actor, n.correlation, n.causation, n.ago = "user:42", "req-1", bus.NewID(noon).String(), time.Hour
	h.record(n)
	records, err := h.store.Writer().Query(t.Context(), journal.Query{})
	if err != nil {
		t.Fatal(err)
	}
	r, e := records[0], h.list(eventlog.Query{}).Events[0]
	want := bus.Header{
		ID: e.ID, Type: e.Type, Schema: e.Schema, Source: e.Source, Kind: e.Kind, ResourceID: e.ResourceID, Time: e.Time, Seq: e.Seq, Tenant: e.Tenant, Actor: e.Actor,
		Version: e.Version, CorrelationID: e.CorrelationID, CausationID: e.CausationID, TraceParent: e.TraceParent,
	}
	if r.Header != want || string(r.Data) != string(e.Data) {
		t.Errorf("the log has %+v %s, the journal %+v %s", want, e.Data, r.Header, r.Data)
	}
}

func TestMethodsBeforeTheStart(t *testing.T) {
	p, ctx := eventlog.New(eventlog.Options{}), context.Background()
	_, err1 := p.List(ctx, eventlog.Query{})
	_, err2 := p.Chain(ctx, eventlog.ChainQuery{CorrelationID: "x"})
	_, err3 := p.Archive(ctx, eventlog.Selection{})
	_, err4 := p.Sweep(ctx)
	_, err5 := p.Export(ctx, nil, eventlog.Query{})
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if err == nil || err.Error() != "eventlog: the plugin hasn't started" {
			t.Errorf("%d: %v", i, err)
		}
	}
}
