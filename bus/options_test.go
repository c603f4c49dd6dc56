package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

func ignore[T any](context.Context, bus.Event[T]) error { return nil }

func TestOptionsThatExcludeEachOther(t *testing.T) {
	j := bustest.NewJournal()
	c := newBus(t, j).Client("c")
	live := func(o ...bus.Option) (*bus.Subscription, error) { return bus.Subscribe(c, ignore[noted], o...) }
	with := func(extra bus.Option) func(...bus.Option) (*bus.Subscription, error) {
		return func(o ...bus.Option) (*bus.Subscription, error) { return live(append(o, extra)...) }
	}
	columns := []struct {
		name      string
		subscribe func(...bus.Option) (*bus.Subscription, error)
	}{
		{"live", live},
		{"From", with(bus.From(0))},
		{"Durable", with(bus.Durable("d"))},
		{"SubscribeBatch", func(o ...bus.Option) (*bus.Subscription, error) {
			return bus.SubscribeBatch(c, "b", func(context.Context, bus.Batch[noted]) error { return nil }, o...)
		}},
	}
	rows := []struct {
		name string
		opts []bus.Option
		ok   [4]bool
	}{
		{"nothing", nil, [4]bool{true, true, true, true}},
		{"DropOldest", []bus.Option{bus.Queue(8, bus.DropOldest)}, [4]bool{true, false, false, false}},
		{"DropNewest", []bus.Option{bus.Queue(8, bus.DropNewest)}, [4]bool{true, false, false, false}},
		{"Coalesce", []bus.Option{bus.Queue(8, bus.Coalesce)}, [4]bool{true, false, false, false}},
		{"Block", []bus.Option{bus.Queue(8, bus.Block(time.Second))}, [4]bool{true, false, false, false}},
		{"capacity", []bus.Option{bus.Queue(8, bus.Policy{})}, [4]bool{true, true, true, true}},
		{"Lanes", []bus.Option{bus.Lanes(4)}, [4]bool{true, true, true, false}},
		{"OnGap", []bus.Option{bus.OnGap(func(context.Context, bus.Gap) {})}, [4]bool{true, true, true, false}},
		{"Skip", []bus.Option{bus.OnFailure(bus.Skip)}, [4]bool{true, true, false, false}},
		{"Halt", []bus.Option{bus.OnFailure(bus.Halt)}, [4]bool{true, true, true, true}},
		{"Park", []bus.Option{bus.OnFailure(bus.Park)}, [4]bool{false, false, true, true}},
		{"Retry", []bus.Option{bus.Retry(3, time.Second)}, [4]bool{true, true, true, true}},
		{"Linger", []bus.Option{bus.Linger(time.Second)}, [4]bool{false, false, false, true}},
		{"filters", []bus.Option{bus.Type("a.>"), bus.Tenant("t"), bus.Resource("vm", "1"), bus.Where(func(bus.Header) bool { return true })}, [4]bool{true, true, true, true}},
	}
	for _, row := range rows {
		for i, col := range columns {
			t.Run(row.name+" with "+col.name, func(t *testing.T) {
				s, err := col.subscribe(row.opts...)
				if row.ok[i] {
					if err != nil {
						t.Fatalf("Subscribe: %v", err)
					}
					s.Close()
					<-s.Done()
					return
				}
				if e := (*bus.OptionError)(nil); !errors.As(err, &e) || e.Option == "" || e.With == "" || e.Reason == "" {
					t.Fatalf("Subscribe: %v, want an *OptionError that names both", err)
				}
			})
		}
	}
}

func TestOptionsThatAreWrong(t *testing.T) {
	c := newBus(t, bustest.NewJournal()).Client("c")
	for name, o := range map[string]bus.Option{
		"nil":                    nil,
		"Queue 0":                bus.Queue(0, bus.DropOldest),
		"Queue huge":             bus.Queue(1<<40, bus.DropOldest),
		"Block 0":                bus.Queue(8, bus.Block(0)),
		"Block longer than 10 s": bus.Queue(8, bus.Block(11*time.Second)),
		"Lanes 0":                bus.Lanes(0),
		"Lanes huge":             bus.Lanes(1 << 20),
		"Durable without a name": bus.Durable(""),
		"Durable with a newline": bus.Durable("a\nb"),
		"Name empty":             bus.Name(""),
		"Tenant empty":           bus.Tenant(""),
		"Resource empty":         bus.Resource("", "1"),
		"Resource upper case":    bus.Resource("VM", "1"),
		"Where nil":              bus.Where(nil),
		"From below 0":           bus.From(-1),
		"Linger negative":        bus.Linger(-1),
		"Linger longer than 1 s": bus.Linger(2 * time.Second),
		"Retry 0":                bus.Retry(0, 0),
		"Retry negative":         bus.Retry(1, -1),
		"OnFailure unknown":      bus.OnFailure(0),
		"OnSlow 0":               bus.OnSlow(0, nil),
		"OnGap nil":              bus.OnGap(nil),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bus.Subscribe(c, ignore[noted], o)
			if e := (*bus.OptionError)(nil); !errors.As(err, &e) || e.Option == "" || e.Reason == "" {
				t.Errorf("Subscribe: %v, want an *OptionError", err)
			}
		})
	}
	for name, two := range map[string][2]bus.Option{
		"two tenants":   {bus.Tenant("a"), bus.Tenant("b")},
		"two resources": {bus.Resource("vm", "a"), bus.Resource("vm", "b")},
	} {
		if _, err := bus.Subscribe(c, ignore[noted], two[0], two[1]); !errors.As(err, new(*bus.OptionError)) {
			t.Errorf("%s: %v, want an *OptionError", name, err)
		}
	}
	if _, err := bus.Subscribe[noted](c, nil); !errors.As(err, new(*bus.OptionError)) {
		t.Errorf("nil handler: %v", err)
	}
	if _, err := bus.SubscribeBatch[noted](c, "b", nil); !errors.As(err, new(*bus.OptionError)) {
		t.Errorf("nil commit: %v", err)
	}
	if _, err := bus.SubscribeBatch(c, "", func(context.Context, bus.Batch[noted]) error { return nil }); !errors.As(err, new(*bus.OptionError)) {
		t.Errorf("no name: %v", err)
	}
	if _, err := bus.Subscribe(c, ignore[noted], bus.Type("a..b")); !errors.As(err, new(*bus.PatternError)) {
		t.Errorf("wrong pattern: %v", err)
	}
	if got := len(c.Bus().Inspect().Subscriptions); got != 0 {
		t.Errorf("%d subscriptions are left of those that were refused", got)
	}
}

type notAPayload struct{}

func TestOptionsAndPayloadTypes(t *testing.T) {
	c := newBus(t, nil).Client("c")
	if _, err := bus.Subscribe(c, ignore[notAPayload]); !errors.As(err, new(*bus.PayloadError)) {
		t.Errorf("no EventType: %v", err)
	}
	if _, err := bus.Subscribe(c, ignore[*noted]); !errors.As(err, new(*bus.PayloadError)) {
		t.Errorf("pointer to a payload: %v", err)
	}
	for _, o := range []bus.Option{bus.Durable("d"), bus.From(0)} {
		if _, err := bus.Subscribe(c, ignore[noted], o); !errors.Is(err, bus.ErrNoJournal) {
			t.Errorf("without a journal: %v, want ErrNoJournal", err)
		}
	}
	if _, err := bus.SubscribeBatch(c, "b", func(context.Context, bus.Batch[noted]) error { return nil }); !errors.Is(err, bus.ErrNoJournal) {
		t.Errorf("SubscribeBatch without a journal: %v, want ErrNoJournal", err)
	}
}

func TestOptionsDurableNameIsTakenUntilDone(t *testing.T) {
	c := newBus(t, bustest.NewJournal()).Client("c")
	s, err := bus.Subscribe(c, ignore[noted], bus.Durable("mailer"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = bus.SubscribeBatch(c, "mailer", func(context.Context, bus.Batch[noted]) error { return nil })
	if e := (*bus.DuplicateError)(nil); !errors.As(err, &e) || e.Name != "mailer" || e.By == "" {
		t.Fatalf("second: %v, want *DuplicateError", err)
	}
	s.Close()
	<-s.Done()
	s, err = bus.Subscribe(c, ignore[noted], bus.Durable("mailer"))
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	s.Close()
}
