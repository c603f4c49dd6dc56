package bustest_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

// printer stands in for the *testing.T of a test, which an example hasn't got.
type printer struct {
	testing.TB
	cleanups []func()
}

func (p *printer) Helper()           {}
func (p *printer) Name() string      { return "TestLamps" }
func (p *printer) Cleanup(fn func()) { p.cleanups = append(p.cleanups, fn) }
func (p *printer) Fatalf(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	runtime.Goexit()
}

// run runs a test and what it leaves to be cleaned up.
func run(test func(t testing.TB)) {
	p := &printer{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, fn := range p.cleanups {
				fn()
			}
		}()
		test(p)
	}()
	<-done
}

func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

// A failure prints what was wanted and the recorded timeline, and marks the fault.
func ExampleRecorder_WantExactly() {
	run(func(t testing.TB) {
		b := bus.New(bus.Options{Now: noon})
		t.Cleanup(func() { _ = b.Close(context.Background()) })
		r := bustest.Record[lit](t, b)
		bustest.Inject(t, b, lit{"hall", true}, lit{"kitchen", true}, lit{"hall", false})

		r.Want(bustest.Resource[lit]("lamp", "hall"), bustest.Type[lit]("lamp.false"))
		r.WantNone(bustest.Resource[lit]("lamp", "cellar"))
		r.WantExactly(
			bustest.Payload(lit{"hall", true}),
			bustest.PayloadThat("is off", func(l lit) bool { return !l.On }),
			bustest.Any[lit](),
		)
	})
	// Output:
	// bustest: event 2 doesn't match is off
	// wanted:
	//     1  payload {Lamp:hall On:true}
	// >   2  is off
	//     3  any event
	// recorded:
	//     1  12:00:00.000000  lamp.true                    lamp/hall        home         seq=0    {Lamp:hall On:true}
	// >   2  12:00:00.000000  lamp.true                    lamp/kitchen     home         seq=0    {Lamp:kitchen On:true}
	//     3  12:00:00.000000  lamp.false                   lamp/hall        home         seq=0    {Lamp:hall On:false}
}

// Settle waits for what handlers cause, too.
func ExampleSettle() {
	run(func(t testing.TB) {
		b := bus.New(bus.Options{Now: noon})
		t.Cleanup(func() { _ = b.Close(context.Background()) })
		c := b.Client("follower")
		_, _ = bus.Subscribe(c, func(ctx context.Context, e bus.Event[lit]) error {
			return bus.Publish(ctx, c, lit{"cellar", e.Payload.On})
		}, bus.Resource("lamp", "hall"))

		r := bustest.Record[lit](t, b)
		bustest.Inject(t, b, lit{"hall", true})
		got := r.Want(bustest.Resource[lit]("lamp", "hall"))
		r.Want(bustest.All(bustest.CausedBy[lit](got[0].Header), bustest.Payload(lit{"cellar", true})))
		fmt.Println(len(r.Events()), "events")
	})
	// Output: 2 events
}

func ExampleMemJournal() {
	run(func(t testing.TB) {
		j := bustest.NewJournal()
		b := bus.New(bus.Options{Journal: j, Now: noon})
		t.Cleanup(func() { _ = b.Close(context.Background()) })
		_ = bus.Register[lit](b, "lamp.>", 1)

		r := bustest.Record[lit](t, b, bus.Durable("lamps"))
		last := bustest.InjectRecorded(t, j, lit{"hall", true}, lit{"hall", false})
		r.WantExactly(bustest.Type[lit]("lamp.true"), bustest.Type[lit]("lamp.false"))
		bustest.Healthy(t, b)
		cursor, _, _ := j.Cursor(context.Background(), "lamps")
		fmt.Println("recorded up to", last, "- the cursor is stored later, if at all:", cursor <= last)
	})
	// Output: recorded up to 2 - the cursor is stored later, if at all: true
}
