package transporttest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// Broker is what a Transport leads to, for the suite.
type Broker interface {
	// Connect returns a transport of its own to the broker, which the suite closes.
	Connect(t testing.TB) bridge.Transport
	// Stop takes the broker out of reach, Start brings it back with all that it holds. Neither is called twice in a row.
	Stop()
	Start()
	// Limit is the size of a Data that the broker refuses for good.
	Limit() int
}

const patience = 20 * time.Second

// Run tests what bridge.Transport promises. start is called for each test, and returns a broker that runs and is empty.
func Run(t *testing.T, start func(t *testing.T) Broker) {
	for name, test := range map[string]func(*suite){
		"in the stream's order, as on the wire": (*suite).order,
		"a repeat is kept once":                 (*suite).repeats,
		"what the inlet names":                  (*suite).subjects,
		"a batch has its limit":                 (*suite).batches,
		"an error: the same batch again":        (*suite).again,
		"not acknowledged: after a restart":     (*suite).restart,
		"each durable name has its place":       (*suite).durables,
		"too large is rejected":                 (*suite).tooLarge,
		"the broker away":                       (*suite).away,
		"close ends receive":                    (*suite).closes,
		"inlets that are wrong":                 (*suite).wrong,
	} {
		t.Run(name, func(t *testing.T) { test(newSuite(t, start(t))) })
	}
}

type suite struct {
	*testing.T
	broker    Broker
	transport bridge.Transport
	ctx       context.Context
}

func newSuite(t *testing.T, b Broker) *suite {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	s := &suite{T: t, broker: b, ctx: ctx}
	s.transport = s.connect()
	return s
}

func (s *suite) connect() bridge.Transport {
	s.Helper()
	transport := s.broker.Connect(s)
	s.Cleanup(func() { _ = transport.Close(context.Background()) })
	s.must(transport.Ready(s.ctx))
	return transport
}

func (s *suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func inlet(durable string) bridge.Inlet {
	return bridge.Inlet{Stream: "suite-status", Subjects: []string{"suite.*"}, Durable: durable}
}

func letter(n int) bridge.Letter {
	return bridge.Letter{
		ID: fmt.Sprint("letter-", n), Subject: "suite.vm", Data: fmt.Appendf(nil, "%d", n),
		Header: map[string][]string{"Content-Type": {"text/plain"}, "ce-Odd": {"one", "two"}},
	}
}

// receiver is a Receive that goes on until it is stopped.
type receiver struct {
	s      *suite
	stop   context.CancelFunc
	got    chan bridge.Delivery
	result chan error
}

// receive hands each batch to look first, if there is one; what it returns nil for is in got.
func (s *suite) receive(transport bridge.Transport, in bridge.Inlet, look func([]bridge.Delivery) error) *receiver {
	ctx, cancel := context.WithCancel(s.ctx)
	r := &receiver{s: s, stop: cancel, got: make(chan bridge.Delivery, 1024), result: make(chan error, 1)}
	go func() {
		r.result <- transport.Receive(ctx, in, func(_ context.Context, batch []bridge.Delivery) error {
			if look != nil {
				if err := look(batch); err != nil {
					return err
				}
			}
			for _, d := range batch {
				r.got <- d
			}
			return nil
		})
	}()
	s.Cleanup(func() { cancel(); _ = r.end() })
	return r
}

func (r *receiver) next() bridge.Delivery {
	r.s.Helper()
	select {
	case d := <-r.got:
		return d
	case err := <-r.result:
		r.result <- err
		r.s.Fatalf("Receive ended: %v", err)
	case <-r.s.ctx.Done():
		r.s.Fatal("nothing comes")
	}
	return bridge.Delivery{}
}

// end waits for the end of Receive and returns its error.
func (r *receiver) end() error {
	err := <-r.result
	r.result <- err
	return err
}

// prepare makes the stream, by receiving from it once: a letter to no stream is kept by nobody.
func (s *suite) prepare(in bridge.Inlet) {
	s.Helper()
	in.Durable += "-first"
	r := s.receive(s.transport, in, nil)
	first := letter(-1)
	s.publish(first)
	r.next()
	r.stop()
	if err := r.end(); !errors.Is(err, context.Canceled) {
		s.Errorf("Receive ended with %v, want its context's error", err)
	}
}

// publish tries until the stream is there.
func (s *suite) publish(letters ...bridge.Letter) {
	s.Helper()
	for _, l := range letters {
		for err := s.transport.Publish(s.ctx, l); err != nil; err = s.transport.Publish(s.ctx, l) {
			var rejected *bridge.RejectedError
			if errors.As(err, &rejected) || s.ctx.Err() != nil {
				s.Fatalf("publish %s: %v", l.ID, err)
			}
			pause(s.ctx)
		}
	}
}

// pause lets a broker do what it is about to.
func pause(ctx context.Context) {
	select {
	case <-time.After(10 * time.Millisecond):
	case <-ctx.Done():
	}
}

// expect takes letters n..m from a receiver. The one of prepare is passed over, and so is what is delivered again: its acknowledgement may have been lost.
func (r *receiver) expect(n, m int) []bridge.Delivery {
	r.s.Helper()
	var all []bridge.Delivery
	for ; n <= m; n++ {
		d := r.next()
		for string(d.Data) == "-1" || d.Tries > 1 && string(d.Data) != fmt.Sprint(n) {
			d = r.next()
		}
		if want := letter(n); string(d.Data) != string(want.Data) || d.Subject != want.Subject {
			r.s.Fatalf("got %s on %s, want %s on %s", d.Data, d.Subject, want.Data, want.Subject)
		}
		all = append(all, d)
	}
	return all
}

func equalHeader(have, want map[string][]string) bool {
	for key, values := range want {
		if !reflect.DeepEqual(have[key], values) {
			return false
		}
	}
	return true
}
