package transporttest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker leads all who connect to one Memory.
type broker struct{ *transporttest.Memory }

// line is a participant's own end of it.
type line struct {
	*transporttest.Memory
	closed context.Context
	end    context.CancelFunc
}

const limit = 1000

func (b broker) Connect(testing.TB) bridge.Transport {
	ctx, cancel := context.WithCancel(context.Background())
	return &line{Memory: b.Memory, closed: ctx, end: cancel}
}

func (b broker) Stop()      { b.Away(true) }
func (b broker) Start()     { b.Away(false) }
func (b broker) Limit() int { return limit }

func (l *line) Publish(ctx context.Context, letter bridge.Letter) error {
	if l.closed.Err() != nil {
		return transporttest.ErrClosed
	}
	return l.Memory.Publish(ctx, letter)
}

func (l *line) Receive(ctx context.Context, in bridge.Inlet, handle func(context.Context, []bridge.Delivery) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.closed, cancel)()
	err := l.Memory.Receive(ctx, in, handle)
	if l.closed.Err() != nil {
		return transporttest.ErrClosed
	}
	return err
}

func (l *line) Close(context.Context) error {
	l.end()
	return nil
}

func TestMemoryIsATransport(t *testing.T) {
	transporttest.Run(t, func(*testing.T) transporttest.Broker {
		m := transporttest.New()
		m.MaxSize(limit - 1)
		return broker{m}
	})
}

func TestMemoryFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		in := bridge.Inlet{Stream: "s", Subjects: []string{"s.>"}, Durable: "d"}
		m.LoseAcks(1)
		if err := m.Publish(t.Context(), bridge.Letter{ID: "1", Subject: "s.a.b"}); !errors.Is(err, transporttest.ErrAckLost) {
			t.Errorf("publish: %v", err)
		}
		if letters, err := m.Until(t.Context(), 1); err != nil || len(letters) != 1 {
			t.Fatalf("%v, %v", letters, err)
		}
		var tries []int
		handle := func(_ context.Context, batch []bridge.Delivery) error {
			tries = append(tries, batch[0].Tries)
			return nil
		}
		m.CrashBeforeAck()
		if err := m.Receive(t.Context(), in, handle); !errors.Is(err, transporttest.ErrCrashed) {
			t.Fatalf("receive: %v", err)
		}
		done := make(chan error)
		go func() { done <- m.Receive(t.Context(), in, handle) }()
		synctest.Wait()
		m.Redeliver("d", 1)
		synctest.Wait()
		m.Redeliver("d", 2)
		synctest.Wait()
		m.Purge()
		m.Redeliver("d")
		synctest.Wait()
		if len(tries) != 3 || tries[2] != 3 {
			t.Errorf("tries %v, want 1 2 3", tries)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, transporttest.ErrClosed) {
			t.Errorf("receive ended with %v", err)
		}
	})
}
