package sinktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
)

// contents are events that a protocol's headers, or a careless encoder, could spoil.
func contents() []bus.Event[bus.Raw] {
	var all []bus.Event[bus.Raw]
	for i, text := range []string{
		"plain", "two words", " spaces around ", "\"quoted\"", `back\slash`, "100%", "%41", "a%2", "Ünïcödé € 日本 😀", "a,b;c:d=e", "<&>'", "\u00a0\u2028", strings.Repeat("long ", 10),
	} {
		e := event(text, i)
		e.Tenant, e.Actor, e.CorrelationID = text, text, text
		all = append(all, e)
	}
	for i, payload := range []string{`null`, `"text"`, `1.5`, `[1,{"a":"ü€\u0000"}]`, ` {"spaces": [ 1 ] } `, `{"big":"` + strings.Repeat("x", 60_000) + `"}`} {
		e := event("payload", i)
		e.Payload = bus.Raw(strings.TrimSpace(payload))
		all = append(all, e)
	}
	bare := event("", 0)
	bare.Header = bus.Header{ID: bare.ID, Type: "bare", Source: "/x"}
	bare.Payload = nil
	return append(all, bare)
}

func checkStructured(ctx context.Context, r *rig) error {
	return checkContents(ctx, r, bridge.Structured)
}
func checkBinary(ctx context.Context, r *rig) error { return checkContents(ctx, r, bridge.Binary) }

func checkContents(ctx context.Context, r *rig, mode bridge.Mode) error {
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	want := contents()
	for _, e := range want {
		m, err := message(e, mode)
		if err != nil {
			return err
		}
		if err := r.deliver(ctx, s, m); err != nil {
			return fmt.Errorf("send %+v: %w", e.Header, err)
		}
	}
	messages, err := r.Received(ctx)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if structured := strings.HasPrefix(m.ContentType, "application/cloudevents"); structured != (mode == bridge.Structured) {
			return fmt.Errorf("a message of mode %v has the content type %s", mode, m.ContentType)
		}
	}
	got, err := r.received(ctx)
	if err != nil {
		return err
	}
	got = slices.CompactFunc(got, func(a, b bus.Event[bus.Raw]) bool { return r.Repeats == Kept && a.ID == b.ID })
	for i := range min(len(got), len(want)) {
		if !reflect.DeepEqual(got[i], want[i]) {
			return fmt.Errorf("came out as\n%+v %s\nwent in as\n%+v %s", got[i].Header, got[i].Payload, want[i].Header, want[i].Payload)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d events came out, %d went in", len(got), len(want))
	}
	return nil
}

// checkUntouched: a message's parts are shared, and to be read only.
func checkUntouched(ctx context.Context, r *rig) error {
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	for _, mode := range []bridge.Mode{bridge.Structured, bridge.Binary} {
		m, err := message(event(mode.String(), 0), mode)
		if err != nil {
			return err
		}
		data, attributes := bytes.Clone(m.Data), slices.Clone(m.Attributes)
		if err := r.deliver(ctx, s, m); err != nil {
			return err
		}
		if !bytes.Equal(data, m.Data) || !slices.Equal(attributes, m.Attributes) {
			return fmt.Errorf("Send altered the message in %v mode", mode)
		}
	}
	return nil
}

func checkRepeats(ctx context.Context, r *rig) error {
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	for n := range 3 {
		m, err := message(event("42", n), bridge.Structured)
		if err != nil {
			return err
		}
		for range 2 {
			if err := r.deliver(ctx, s, m); err != nil {
				return err
			}
		}
	}
	all, err := r.received(ctx)
	if err != nil {
		return err
	}
	if got := r.byResource(all)["42"]; !slices.Equal(got, []uint64{1, 2, 3}) || r.Repeats == Dropped && len(all) != 3 {
		return fmt.Errorf("3 messages sent twice came out as %v (%d in all)", got, len(all))
	}
	return nil
}

func checkTooLarge(ctx context.Context, r *rig) error {
	if r.TooLarge == 0 {
		return errSkip
	}
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	e := event("big", 0)
	e.Payload = bus.Raw(`"` + strings.Repeat("x", r.TooLarge) + `"`)
	for _, mode := range []bridge.Mode{bridge.Structured, bridge.Binary} {
		m, err := message(e, mode)
		if err != nil {
			return err
		}
		if err := checkRejected(ctx, r, s, m); err != nil {
			return fmt.Errorf("%v: %w", mode, err)
		}
	}
	return nil
}

func checkRejected(ctx context.Context, r *rig, s bridge.Sink, m bridge.Message) error {
	done := make(chan error, 1)
	go func() { done <- r.sendMany(ctx, s, 4, 10) }()
	err := r.deliver(ctx, s, m)
	if err := <-done; err != nil {
		return fmt.Errorf("what was sent beside one that is too large: %w", err)
	}
	var rejected *bridge.RejectedError
	if !errors.As(err, &rejected) || rejected.ID != m.ID || rejected.Subject != m.Subject || rejected.Err == nil {
		return fmt.Errorf("%d bytes: got %v, want a RejectedError of the message", len(m.Data), err) //nolint:errorlint // it may be nil
	}
	all, err := r.received(ctx)
	if err != nil {
		return err
	}
	return checkMany(r, all, 4, 10)
}
