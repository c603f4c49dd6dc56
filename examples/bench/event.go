package main

import (
	"time"
	"unsafe"

	"github.com/cloudbus-go/cloudbus/bus"
)

// progress is the payload of all contenders.
type progress struct {
	VM      string
	Percent int
	Sent    int64 // when it was published, as now says; 0 where nobody asks
}

func (progress) EventType() string { return "vm.operation.start.progress" }

func (p progress) Address() (tenant, kind, id string) { return "acme", "vm", p.VM }

// event is what all contenders carry by value: header and payload, 232 to 256 bytes.
type event = bus.Event[progress]

const eventSize = int(unsafe.Sizeof(event{}))

const source = "cloudbus/bench"

func newProgress(sent int64) progress {
	return progress{VM: "0190163d-8694-739b-aea5-966c26f8ad91", Percent: 50, Sent: sent}
}

// stamped is the event as a peer's publisher has to make it: it reads the clock once, and takes an id that costs a counter.
func stamped(sent int64) event {
	p := newProgress(sent)
	at := time.Now().UTC()
	e := event{Payload: p}
	e.ID, e.Type, e.Source, e.Time = bus.NewID(at), p.EventType(), source, at
	e.Tenant, e.Kind, e.ResourceID = p.Address()
	return e
}

var epoch = time.Now()

// now is nanoseconds on the monotonic clock.
func now() int64 { return int64(time.Since(epoch)) }
