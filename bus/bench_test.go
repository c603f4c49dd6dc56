package bus_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// stamped is the payload of the benchmarks: with its header an event of about 200 bytes beside the strings.
type stamped struct {
	VM, Tenant, Host, From, To string
	CPUs, MemoryMiB            int64
}

func (stamped) EventType() string                    { return "vm.state.running" }
func (s stamped) Address() (tenant, kind, id string) { return s.Tenant, "vm", s.VM }

var example = stamped{VM: "0190163d-8694-739b-aea5-966c26f8ad91", Tenant: "acme", Host: "host-17", From: "starting", To: "running", CPUs: 4, MemoryMiB: 8192}

func benchBus(b *testing.B) (*bus.Bus, *bus.Client) {
	b.Helper()
	eb := bus.New(bus.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	b.Cleanup(func() { _ = eb.Close(context.Background()) })
	return eb, eb.Client("bench")
}

// inBursts publishes b.N events, 512 at a time, and waits for each burst to be handled n times.
func inBursts(b *testing.B, wg *sync.WaitGroup, n int, publish func()) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		burst := min(left, 512)
		wg.Add(n * burst)
		for range burst {
			publish()
		}
		wg.Wait()
		left -= burst
	}
}

// BenchmarkPublishAndDeliver publishes in bursts that fit the queues, so that nothing is dropped, and waits until all is handled.
func BenchmarkPublishAndDeliver(b *testing.B) {
	for _, n := range []int{1, 3, 10, 100} {
		b.Run(fmt.Sprintf("subscriptions=%d", n), func(b *testing.B) {
			_, c := benchBus(b)
			ctx := context.Background()
			var wg sync.WaitGroup
			for range n {
				_, err := bus.Subscribe(c, func(context.Context, bus.Event[stamped]) error {
					wg.Done()
					return nil
				}, bus.Queue(1024, bus.DropOldest))
				if err != nil {
					b.Fatal(err)
				}
			}
			inBursts(b, &wg, n, func() { _ = bus.Publish(ctx, c, example) })
		})
	}
}

// BenchmarkChannels is the yardstick: the same event sent to a channel each.
func BenchmarkChannels(b *testing.B) {
	for _, n := range []int{1, 3, 10, 100} {
		b.Run(fmt.Sprintf("subscriptions=%d", n), func(b *testing.B) {
			var wg sync.WaitGroup
			chans := make([]chan bus.Event[stamped], n)
			call := func(bus.Event[stamped]) {
				defer func() { _ = recover() }()
				wg.Done()
			}
			for i := range chans {
				chans[i] = make(chan bus.Event[stamped], 1024)
				go func() {
					for e := range chans[i] {
						call(e)
					}
				}()
			}
			e := bus.Event[stamped]{Header: bus.Header{ID: bus.NewID(time.Now()), Time: time.Now(), Type: "vm.state.running"}, Payload: example}
			inBursts(b, &wg, n, func() {
				for _, ch := range chans {
					ch <- e
				}
			})
			for _, ch := range chans {
				close(ch)
			}
		})
	}
}

// BenchmarkPublishWithoutTakers: what a publish costs beside subscriptions that don't match.
func BenchmarkPublishWithoutTakers(b *testing.B) {
	filters := map[string]func(int) []bus.Option{
		"type":     func(int) []bus.Option { return []bus.Option{bus.Type("vm.state.stopped")} },
		"tenant":   func(i int) []bus.Option { return []bus.Option{bus.Tenant(fmt.Sprint("tenant", i))} },
		"resource": func(i int) []bus.Option { return []bus.Option{bus.Resource("vm", fmt.Sprint("vm", i))} },
	}
	run := func(name string, n int, opts func(int) []bus.Option) {
		b.Run(fmt.Sprintf("%s=%d", name, n), func(b *testing.B) {
			_, c := benchBus(b)
			for i := range n {
				if _, err := bus.Subscribe(c, ignore[stamped], opts(i)...); err != nil {
					b.Fatal(err)
				}
			}
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				_ = bus.Publish(ctx, c, example)
			}
		})
	}
	run("none", 0, nil)
	for _, name := range []string{"type", "tenant", "resource"} {
		run(name, 1000, filters[name])
	}
}

// BenchmarkIdleHandler is the time from Publish to the handler's first line and back.
func BenchmarkIdleHandler(b *testing.B) {
	b.Run("bus", func(b *testing.B) {
		_, c := benchBus(b)
		got := make(chan struct{})
		_, err := bus.Subscribe(c, func(context.Context, bus.Event[stamped]) error {
			got <- struct{}{}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			_ = bus.Publish(context.Background(), c, example)
			<-got
		}
	})
	b.Run("channel", func(b *testing.B) {
		ch, got := make(chan bus.Event[stamped], 1024), make(chan struct{})
		go func() {
			for range ch {
				got <- struct{}{}
			}
		}()
		for b.Loop() {
			ch <- bus.Event[stamped]{Payload: example}
			<-got
		}
		close(ch)
	})
}

func BenchmarkNewID(b *testing.B) {
	at := time.Now()
	for b.Loop() {
		_ = bus.NewID(at)
	}
}
