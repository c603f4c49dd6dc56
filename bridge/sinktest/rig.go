package sinktest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
)

// rig is a broker with the sinks that a check has opened.
type rig struct {
	*Broker
	open   []bridge.Sink
	failed atomic.Int64 // attempts of deliver
}

// sink opens a sink; it doesn't wait for the broker.
func (r *rig) sink(ctx context.Context) (bridge.Sink, error) {
	s, err := r.New()
	if err != nil {
		return nil, fmt.Errorf("new sink: %w", err)
	}
	if opener, ok := s.(bridge.Opener); ok {
		if err := promptly("Open", func() error { return opener.Open(ctx, slog.New(slog.DiscardHandler)) }); err != nil {
			return nil, fmt.Errorf("open: %w", err)
		}
	}
	r.open = append(r.open, s)
	return s, nil
}

// ready opens a sink and waits for its broker.
func (r *rig) ready(ctx context.Context) (bridge.Sink, error) {
	s, err := r.sink(ctx)
	if err != nil {
		return nil, err
	}
	return s, waitReady(ctx, s)
}

func waitReady(ctx context.Context, s bridge.Sink) error {
	readier, ok := s.(bridge.Readier)
	if !ok {
		return nil
	}
	if err := readier.Ready(ctx); err != nil {
		return fmt.Errorf("Ready: %w", err)
	}
	return nil
}

func closeSink(ctx context.Context, s bridge.Sink) error {
	closer, ok := s.(bridge.Closer)
	if !ok {
		return nil
	}
	return promptly("Close", func() error { return closer.Close(ctx) })
}

// shut closes one of the open sinks.
func (r *rig) shut(ctx context.Context, s bridge.Sink) error {
	r.open = slices.DeleteFunc(r.open, func(o bridge.Sink) bool { return o == s })
	return closeSink(ctx, s)
}

func (r *rig) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var errs []error
	for _, s := range r.open {
		errs = append(errs, closeSink(ctx, s))
	}
	r.open = nil
	return errors.Join(errs...)
}

// deliver sends as a bridge does: again and again until it is acknowledged, or rejected.
func (r *rig) deliver(ctx context.Context, s bridge.Sink, m bridge.Message) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, bridge.SendTimeout)
		err := s.Send(attempt, m)
		cancel()
		var rejected *bridge.RejectedError
		if err == nil || errors.As(err, &rejected) {
			return err
		}
		r.failed.Add(1)
		if ctx.Err() != nil {
			return fmt.Errorf("message %s was never acknowledged: %w", m.ID, err)
		}
		pause(ctx, 10*time.Millisecond)
		if err := waitReady(ctx, s); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// event returns the nth event of a resource. All its attributes are set.
func event(resource string, n int) bus.Event[bus.Raw] {
	id, err := bus.ParseID(fmt.Sprintf("0198c0de-%04x-7000-8000-%012x", checksum(resource), n+1))
	if err != nil {
		panic(err) // the text above is an id
	}
	return bus.Event[bus.Raw]{
		Header: bus.Header{
			ID: id, Type: "vm.state.running", Schema: 1, Source: "cloudbus/sinktest", Kind: "vm", ResourceID: resource, Time: time.Unix(1_800_000_000, int64(n)).UTC(),
			Seq: uint64(n + 1), Tenant: "acme", Actor: "user:42", Version: uint64(n + 1), CorrelationID: "c", CausationID: "d",
			TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		},
		Payload: bus.Raw(fmt.Sprintf(`{"n":%d}`, n)),
	}
}

// checksum tells the resources of one check apart.
func checksum(s string) (sum uint16) {
	for i := range len(s) {
		sum = sum*31 + uint16(s[i])
	}
	return sum
}

// message is an event as a bridge sends it.
func message(e bus.Event[bus.Raw], mode bridge.Mode) (bridge.Message, error) {
	return bridge.NewMessage(e, bridge.Options{Mode: mode})
}

// received decodes all that the broker has.
func (r *rig) received(ctx context.Context) (all []bus.Event[bus.Raw], err error) {
	messages, err := r.Received(ctx)
	if err != nil {
		return nil, fmt.Errorf("received: %w", err)
	}
	for _, m := range messages {
		e, err := bridge.DecodeMessage(m.ContentType, m.Attributes, m.Data)
		if err != nil {
			return nil, fmt.Errorf("message %s on %s isn't what was sent: %w", m.ID, m.Subject, err)
		}
		if m.ID != "" && m.ID != e.ID.String() {
			return nil, fmt.Errorf("the message about event %s has the id %s", e.ID, m.ID)
		}
		subject, err := bridge.Subject(e.Tenant, e.Type)
		if err != nil || subject != m.Subject {
			return nil, fmt.Errorf("event %s lies on %s, want %s", e.ID, m.Subject, cmp.Or(subject, fmt.Sprint(err)))
		}
		all = append(all, e)
	}
	return all, nil
}

// byResource lists the numbers of what came about each resource, in their order. Repeats that follow at once are left out if the broker may keep them.
func (r *rig) byResource(all []bus.Event[bus.Raw]) map[string][]uint64 {
	found := map[string][]uint64{}
	for _, e := range all {
		seqs := found[e.ResourceID]
		if r.Repeats == Kept && slices.Contains(seqs, e.Seq) {
			continue
		}
		found[e.ResourceID] = append(seqs, e.Seq)
	}
	return found
}
