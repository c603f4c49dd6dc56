package main

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
)

// encoding compares the way from a recorded event to a CloudEvent's bytes with the SDK's writing of a ready event of its own.
func (b *bench) encoding() error {
	payload := changed(1, 1)
	data, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	e := bus.Event[bus.Raw]{Payload: data, Header: bus.Header{
		ID: bus.NewID(now), Type: payload.EventType(), Schema: 1, Source: source, Kind: payload.Change.Kind, ResourceID: payload.Change.ResourceID,
		Time: now, Seq: 12345, Tenant: payload.Change.Tenant, Actor: "user:42", Version: 7, CorrelationID: bus.NewID(now).String(),
	}}
	ready, err := bridge.CloudEvent(e)
	if err != nil {
		return err
	}
	return b.hold(contest{name: "an event to a CloudEvent's bytes", unit: "ns", contenders: []contender{
		{name: "ours, from the journal's record", run: b.repeat(func() error { _, err := bridge.Encode(e); return err })},
		{name: "sdk-go's MarshalJSON of a ready event", run: b.repeat(func() error { _, err := ready.MarshalJSON(); return err }), bars: []bar{atMost(1.3)}},
	}})
}

// repeat does something for a slice of time, and returns the nanoseconds that it took once.
func (b *bench) repeat(do func() error) func() ([]float64, error) {
	return func() ([]float64, error) {
		var err error
		n, begun := 0, time.Now()
		for ; time.Since(begun) < b.slice; n += 100 {
			for range 100 {
				err = errors.Join(err, do())
			}
		}
		return []float64{float64(time.Since(begun).Nanoseconds()) / float64(n)}, err
	}
}
