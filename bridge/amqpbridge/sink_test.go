package amqpbridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/amqpbridge"
)

func TestSendReturnsWhenTheBrokerHasConfirmed(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t).start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	for _, id := range []string{"1", "2", "3"} {
		must(t, send(t, sink, message(id)))
		if ids := broker.ids(); !slices.Contains(ids, id) {
			t.Errorf("Send of %s returned, and the broker has %v", id, ids)
		}
	}
}

func TestBlockedBrokerDoesntBlockUs(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	broker.answer = func(p post) verdict {
		if p.nth == 0 {
			return verdict{blocked: "low on memory"}
		}
		return verdict{}
	}
	broker.start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	var blocked *amqpbridge.BlockedError
	for range 2 {
		if err := sendPromptly(t, sink, message("1")); !errors.As(err, &blocked) || blocked.Reason != "low on memory" {
			t.Fatalf("Send to a blocked broker: %v", err)
		}
	}
	if err := sink.Health(t.Context()); !errors.As(err, &blocked) {
		t.Errorf("health is %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sink.Ready(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Ready while the broker is blocked: %v", err)
	}
	broker.unblock()
	must(t, ready(t, sink))
	must(t, sink.Health(t.Context()))
	must(t, send(t, sink, message("1")))
	must(t, send(t, sink, message("2")))
	if ids := broker.ids(); !slices.Equal(ids, []string{"1", "2"}) {
		t.Errorf("the broker has %v: what it took when it was free again was sent again", ids)
	}
}

func TestCloseIsPromptWhileTheBrokerIsBlocked(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	broker.answer = func(post) verdict { return verdict{blocked: "low on disk"} }
	broker.start()
	sink, err := amqpbridge.New(amqpbridge.Options{URL: broker.url()})
	must(t, err)
	must(t, sink.Open(t.Context(), slog.New(slog.DiscardHandler)))
	must(t, ready(t, sink))
	if err := send(t, sink, message("1")); err == nil {
		t.Error("a blocked broker confirmed")
	}
	began := time.Now()
	must(t, sink.Close(t.Context()))
	if took := time.Since(began); took > prompt {
		t.Errorf("Close took %v", took)
	}
}

func TestSendEndsWithItsContextWhileTheBrokerDoesntRead(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	release := make(chan struct{})
	broker.answer = func(post) verdict { <-release; return verdict{} }
	broker.start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var sends sync.WaitGroup
	for i := range 4 { // more than fits into the buffers on the way
		m := message(fmt.Sprint(i))
		m.Data = make([]byte, 8<<20)
		sends.Go(func() {
			if err := sink.Send(ctx, m); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Send: %v", err)
			}
		})
	}
	began := time.Now()
	sends.Wait()
	if took := time.Since(began); took > prompt {
		t.Errorf("Send took %v", took)
	}
}

func TestRepeatWaitsForTheFirstConfirmation(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	asked, release := make(chan bool, 1), make(chan struct{})
	broker.answer = func(post) verdict { asked <- true; <-release; return verdict{} }
	broker.start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if err := sink.Send(ctx, message("1")); !errors.Is(err, amqpbridge.ErrNoConfirm) || !errors.Is(err, context.Canceled) {
		t.Errorf("Send: %v", err)
	}
	close(release)
	must(t, send(t, sink, message("1")))
	if ids := broker.ids(); len(ids) != 1 {
		t.Errorf("the broker has %v", ids)
	}
}

func TestRefusedMessageIsTriedAgain(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	broker.answer = func(p post) verdict { return verdict{nack: p.nth == 0} }
	broker.start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	var rejected *bridge.RejectedError
	if err := send(t, sink, message("1")); !errors.Is(err, amqpbridge.ErrNack) || errors.As(err, &rejected) {
		t.Errorf("Send: %v", err)
	}
	must(t, send(t, sink, message("1")))
}

func TestMandatory(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	broker.answer = func(p post) verdict { return verdict{unroutable: p.nth == 0} }
	broker.start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url(), Mandatory: true})
	if err := send(t, sink, message("1")); !errors.Is(err, amqpbridge.ErrUnroutable) || !strings.Contains(err.Error(), "NO_ROUTE") {
		t.Errorf("Send: %v", err)
	}
	must(t, send(t, sink, message("1")))
}

func TestLostConnectionEndsTheWaitForAConfirmation(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	broker.answer = func(p post) verdict {
		if p.nth == 0 {
			broker.cut()
			return verdict{silent: true}
		}
		return verdict{}
	}
	broker.start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	if err := sendPromptly(t, sink, message("1")); !errors.Is(err, amqpbridge.ErrAway) {
		t.Errorf("Send over a connection that broke: %v", err)
	}
	eventually(t, func() error { return send(t, sink, message("1")) })
}

func TestReconnectsForEver(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t).start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	must(t, send(t, sink, message("1")))
	broker.stop()
	eventually(t, func() error {
		if err := sendPromptly(t, sink, message("2")); !errors.Is(err, amqpbridge.ErrAway) {
			return fmt.Errorf("Send without a broker: %w", err)
		}
		if err := sink.Health(t.Context()); !errors.Is(err, amqpbridge.ErrAway) {
			return fmt.Errorf("health without a broker: %w", err)
		}
		return nil
	})
	broker.start()
	must(t, ready(t, sink))
	must(t, send(t, sink, message("2")))
}

func TestNodesOfAClusterAreTriedInTurn(t *testing.T) {
	t.Parallel()
	gone := newFakeBroker(t).start()
	gone.stop()
	broker := newFakeBroker(t).start()
	sink := readySink(t, amqpbridge.Options{URL: gone.url() + ", " + broker.url()})
	must(t, send(t, sink, message("1")))
}

func TestWrongPasswordIsSaidInHealth(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	broker.password = "secret"
	broker.start()
	sink := newSink(t, amqpbridge.Options{URL: broker.url()})
	eventually(t, func() error {
		err := sink.Health(t.Context())
		if err == nil || !errors.Is(err, amqpbridge.ErrAway) || !strings.Contains(err.Error(), "ACCESS_REFUSED") {
			return fmt.Errorf("health is %w", err)
		}
		if strings.Contains(err.Error(), "guest:guest") {
			t.Errorf("health tells the password: %v", err)
		}
		return nil
	})
}

func TestExchangeOfAnotherTypeIsSaidInHealth(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	broker.exchange = "fanout"
	broker.start()
	sink := newSink(t, amqpbridge.Options{URL: broker.url()})
	var wrong *amqpbridge.ExchangeError
	eventually(t, func() error {
		if err := sink.Health(t.Context()); !errors.As(err, &wrong) || wrong.Exchange != "cloudbus" {
			return fmt.Errorf("health is %w", err)
		}
		return nil
	})
	if err := sendPromptly(t, sink, message("1")); !errors.As(err, &wrong) {
		t.Errorf("Send: %v", err)
	}
	broker.mu.Lock()
	broker.exchange = "" // its owner has deleted it
	broker.mu.Unlock()
	must(t, ready(t, sink))
	must(t, send(t, sink, message("1")))
}

func TestExchangeThatIsDeletedIsDeclaredAgain(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	broker.answer = func(p post) verdict {
		if p.nth == 0 {
			return verdict{code: replyNotFound, text: "NOT_FOUND - no exchange 'cloudbus' in vhost '/'"}
		}
		return verdict{}
	}
	broker.start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	if err := send(t, sink, message("1")); !errors.Is(err, amqpbridge.ErrAway) || !strings.Contains(err.Error(), "NOT_FOUND") {
		t.Errorf("Send: %v", err)
	}
	eventually(t, func() error { return send(t, sink, message("1")) })
}

func TestSinkBeforeOpenAndAfterClose(t *testing.T) {
	t.Parallel()
	sink, err := amqpbridge.New(amqpbridge.Options{})
	must(t, err)
	check := func() {
		t.Helper()
		if err := sink.Send(t.Context(), message("1")); !errors.Is(err, amqpbridge.ErrClosed) {
			t.Errorf("Send: %v", err)
		}
		if err := sink.Health(t.Context()); !errors.Is(err, amqpbridge.ErrClosed) {
			t.Errorf("Health: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := sink.Ready(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Ready: %v", err)
		}
	}
	check()
	must(t, sink.Close(t.Context()))
	check()
}

func TestSinkIsForOneBridge(t *testing.T) {
	t.Parallel()
	sink := newSink(t, amqpbridge.Options{URL: newFakeBroker(t).start().url()})
	if err := sink.Open(t.Context(), slog.New(slog.DiscardHandler)); !errors.Is(err, amqpbridge.ErrOpened) {
		t.Errorf("a second Open: %v", err)
	}
}
