package eventlog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

// many are events of a resource.
func many(n int, typ string) []news {
	all := make([]news, n)
	for i := range all {
		all[i] = say(typ, "web-1", i)
	}
	return all
}

func (h *house) wantEvents(archived string, want int) {
	h.t.Helper()
	if got := len(h.all(eventlog.Query{Archived: archived, Limit: 1000})); got != want {
		h.t.Errorf("archived=%s: %d events, want %d", archived, got, want)
	}
}

func TestWhatIsArchivedIsOutOfTheWayAndComesBack(t *testing.T) {
	h := open(t, `{}`)
	h.record(append(many(1200, "vm.created"), many(300, "vm.stuck")...)...)
	filter := eventlog.Selection{Filter: &eventlog.Query{Type: "vm.created"}}
	done, err := h.log.Archive(t.Context(), filter)
	if err != nil || done.Events != 1200 || done.More {
		t.Fatalf("%+v, %v", done, err)
	}
	h.wantEvents("", 300)
	h.wantEvents(eventlog.Archived, 1200)
	h.wantEvents(eventlog.All, 1500)
	if at := h.all(eventlog.Query{Archived: eventlog.Archived})[0].ArchivedAt; !at.Equal(noon) {
		t.Errorf("archived at %v", at)
	}
	if done, err := h.log.Archive(t.Context(), filter); err != nil || done.Events != 0 {
		t.Errorf("again: %+v, %v", done, err)
	}
	if done, err = h.log.Unarchive(t.Context(), filter); err != nil || done.Events != 1200 {
		t.Errorf("back: %+v, %v", done, err)
	}
	h.wantEvents("", 1500)
	h.checkIndex()
}

func TestArchiveGoesOnWhereItsLimitEndedIt(t *testing.T) {
	h := open(t, `{}`)
	h.record(many(250, "vm.created")...)
	s := eventlog.Selection{Filter: &eventlog.Query{Type: ">"}, Limit: 100}
	for i, want := range []eventlog.Changed{{Events: 100, More: true}, {Events: 100, More: true}, {Events: 50}} {
		if done, err := h.log.Archive(t.Context(), s); err != nil || done != want {
			t.Errorf("call %d: %+v, %v, want %+v", i+1, done, err, want)
		}
	}
	if first := h.all(eventlog.Query{Archived: eventlog.Archived})[249].Seq; first != 1 {
		t.Errorf("the first is %d", first)
	}
}

func TestArchiveByID(t *testing.T) {
	h := open(t, `{}`)
	ids := h.record(many(5, "vm.created")...)
	done, err := h.log.Archive(t.Context(), eventlog.Selection{IDs: []string{ids[1].String(), ids[3].String(), ids[1].String()}})
	if err != nil || done.Events != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	h.wantEvents("", 3)
	if _, err := h.log.Archive(t.Context(), eventlog.Selection{IDs: []string{ids[0].String(), bus.NewID(noon).String()}}); !errors.Is(err, eventlog.ErrNotFound) {
		t.Errorf("an ID that no event has: %v", err)
	}
	h.wantEvents("", 3) // nothing of it was done
}

func TestArchiveThatIsAskedWrongly(t *testing.T) {
	h := open(t, `{}`)
	ids := h.record(many(1, "vm.created")...)
	for want, s := range map[string]eventlog.Selection{
		`filter "" is required, or ids`:    {},
		"is given, and a filter too":       {IDs: []string{ids[0].String()}, Filter: &eventlog.Query{Kind: "vm"}},
		"says nothing":                     {Filter: &eventlog.Query{}},
		"are too many":                     {IDs: make([]string, 1001)},
		"is no event's id":                 {IDs: []string{"web-1"}},
		`ids "" is no event's id`:          {IDs: []string{""}},
		"is no pattern":                    {Filter: &eventlog.Query{Type: "vm..x"}},
		"is of what isn't changed":         {Filter: &eventlog.Query{Kind: "vm", Archived: eventlog.Archived}},
		`limit "-1" is below 0`:            {Filter: &eventlog.Query{Kind: "vm"}, Limit: -1},
		"is not after since 2026-05-01T12": {Filter: &eventlog.Query{Since: noon, Until: noon.Add(-time.Hour)}},
	} {
		_, err := h.log.Archive(t.Context(), s)
		var refused *eventlog.QueryError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
	h.wantEvents("", 1)
}
