package transporttest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
)

var errHandle = errors.New("the handler fails")

func (s *suite) order() {
	s.prepare(inlet("reader"))
	r := s.receive(s.transport, inlet("reader"), nil)
	const n = 100
	for i := range n {
		s.publish(letter(i))
	}
	var last bridge.Delivery
	for i, d := range r.expect(0, n-1) {
		want := letter(i)
		switch {
		case d.Seq <= last.Seq:
			s.Errorf("letter %d has number %d after %d", i, d.Seq, last.Seq)
		case d.Time.Before(last.Time) || time.Since(d.Time) > time.Hour:
			s.Errorf("letter %d was stored at %v, the one before at %v", i, d.Time, last.Time)
		case d.Tries != 1:
			s.Errorf("letter %d came with %d tries", i, d.Tries)
		case !equalHeader(d.Header, want.Header):
			s.Errorf("letter %d has header %v, want %v", i, d.Header, want.Header)
		case d.ID != want.ID:
			s.Errorf("letter %d has id %q", i, d.ID)
		}
		last = d
	}
	without := letter(n)
	without.ID, without.Header = "", nil
	s.must(s.transport.Publish(s.ctx, without))
	if d := r.expect(n, n)[0]; d.ID != "" {
		s.Errorf("a letter without an id has %q", d.ID)
	}
	s.must(s.transport.Send(s.ctx, letter(n+1)))
	r.expect(n+1, n+1)
}

func (s *suite) repeats() {
	s.prepare(inlet("reader"))
	s.publish(letter(0), letter(0), letter(1), letter(0), letter(2))
	s.receive(s.transport, inlet("reader"), nil).expect(0, 2)
}

func (s *suite) subjects() {
	in := inlet("reader")
	s.prepare(in)
	in.Subjects = []string{"suite.vm", "suite.container"}
	other, second := letter(7), letter(1)
	other.Subject, second.Subject = "suite.cluster", "suite.container"
	s.publish(letter(0), other, second, letter(2))
	r := s.receive(s.transport, in, nil)
	r.expect(0, 0)
	if d := r.next(); d.Subject != "suite.container" {
		s.Errorf("got %s on %s", d.Data, d.Subject)
	}
	r.expect(2, 2)
}

func (s *suite) batches() {
	in := inlet("reader")
	in.Batch = 4
	s.prepare(in)
	const n = 30
	for i := range n {
		s.publish(letter(i))
	}
	var most atomic.Int64
	s.receive(s.transport, in, func(batch []bridge.Delivery) error {
		most.Store(max(most.Load(), int64(len(batch))))
		if len(batch) == 0 {
			s.Error("a batch is empty")
		}
		return nil
	}).expect(0, n-1)
	if got := most.Load(); got < 2 || got > 4 {
		s.Errorf("the largest batch had %d letters, want 2 to 4", got)
	}
}

func (s *suite) again() {
	s.prepare(inlet("reader"))
	s.publish(letter(0), letter(1), letter(2))
	const failures = 3
	calls, size := 0, 0
	r := s.receive(s.transport, inlet("reader"), func(batch []bridge.Delivery) error {
		calls++
		if calls == 1 {
			size = len(batch)
		}
		if calls > failures+1 {
			return nil
		}
		if len(batch) != size || batch[0].Tries != calls {
			s.Errorf("call %d got %d letters, tries %d; the first call got %d", calls, len(batch), batch[0].Tries, size)
		}
		if calls <= failures {
			return errHandle
		}
		return nil
	})
	r.expect(0, 2)
}

func (s *suite) restart() {
	s.prepare(inlet("reader"))
	s.publish(letter(0), letter(1))
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	err := s.transport.Receive(ctx, inlet("reader"), func(context.Context, []bridge.Delivery) error {
		cancel()
		return errHandle
	})
	if !errors.Is(err, context.Canceled) {
		s.Errorf("Receive ended with %v, want its context's error", err)
	}
	next := s.connect()
	r := s.receive(next, inlet("reader"), nil)
	r.expect(0, 1)
	r.stop()
	_ = r.end()
	// What was acknowledged is not handed over again.
	s.publish(letter(2))
	s.receive(next, inlet("reader"), nil).expect(2, 2)
}

func (s *suite) durables() {
	s.prepare(inlet("one"))
	s.publish(letter(0), letter(1))
	s.receive(s.transport, inlet("one"), nil).expect(0, 1)
	s.receive(s.transport, inlet("two"), nil).expect(0, 1)
}

func (s *suite) tooLarge() {
	s.prepare(inlet("reader"))
	large := letter(0)
	large.Data = make([]byte, s.broker.Limit())
	var rejected *bridge.RejectedError
	if err := s.transport.Publish(s.ctx, large); !errors.As(err, &rejected) || rejected.ID != large.ID {
		s.Errorf("publish of %d bytes: %v, want a *bridge.RejectedError", len(large.Data), err)
	}
	if err := s.transport.Send(s.ctx, large); !errors.As(err, &rejected) {
		s.Errorf("send of %d bytes: %v, want a *bridge.RejectedError", len(large.Data), err)
	}
}

func (s *suite) away() {
	s.prepare(inlet("reader"))
	r := s.receive(s.transport, inlet("reader"), nil)
	s.publish(letter(0))
	r.expect(0, 0)
	s.broker.Stop()
	for s.transport.Health(s.ctx) == nil {
		pause(s.ctx)
	}
	began := time.Now()
	if err := s.transport.Publish(s.ctx, letter(1)); err == nil || time.Since(began) > time.Second {
		s.Errorf("publish with the broker away: %v after %v, want an error at once", err, time.Since(began))
	}
	short, cancel := context.WithTimeout(s.ctx, 20*time.Millisecond)
	defer cancel()
	if err := s.transport.Ready(short); !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("ready with the broker away: %v", err)
	}
	s.broker.Start()
	s.must(s.transport.Ready(s.ctx))
	s.publish(letter(1), letter(2))
	r.expect(1, 2)
	for s.transport.Health(s.ctx) != nil && s.ctx.Err() == nil {
		pause(s.ctx)
	}
	s.must(s.transport.Health(s.ctx))
}

func (s *suite) closes() {
	s.prepare(inlet("reader"))
	other := s.connect()
	r := s.receive(other, inlet("reader"), nil)
	s.publish(letter(0))
	r.expect(0, 0)
	s.must(other.Close(s.ctx))
	if err := r.end(); err == nil || errors.Is(err, context.Canceled) {
		s.Errorf("Receive ended with %v, want that the transport is closed", err)
	}
	if err := other.Publish(s.ctx, letter(1)); err == nil {
		s.Error("a transport that is closed publishes")
	}
}

func (s *suite) wrong() {
	for name, in := range map[string]bridge.Inlet{
		"stream": {Subjects: []string{"suite.*"}, Durable: "reader"}, "subjects": {Stream: "suite-status", Durable: "reader"},
		"durable": {Stream: "suite-status", Subjects: []string{"suite.*"}}, "batch": {Stream: "s", Subjects: []string{"suite.*"}, Durable: "d", Batch: -1},
	} {
		var wrong *bridge.OptionError
		if err := s.transport.Receive(s.ctx, in, nil); !errors.As(err, &wrong) {
			s.Errorf("%s: %v, want a *bridge.OptionError", name, err)
		}
	}
}
