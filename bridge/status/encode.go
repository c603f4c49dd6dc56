package status

import (
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudevents/sdk-go/v2/event"
)

const (
	subjectRoot    = "dcm."
	typeRoot       = "dcm.status."
	sourceRoot     = "dcm/providers/"
	jsonMediaType  = "application/json"
	sequenceDigits = 20

	extSequence  = "sequence"
	extRawStatus = "rawstatus"

	headerContentType = "Content-Type"
	headerMessageID   = "Nats-Msg-Id"
)

// Subject returns where observations of a service type are published: dcm.vm.
func Subject(serviceType string) string { return subjectRoot + serviceType }

// Stamp is what makes an observation one that a provider reports.
type Stamp struct {
	Provider string // The name of who observed it: letters, digits, -, ., _ and ~
	ID       bus.ID // Of this observation, the same whenever it is sent
	Sequence uint64 // Rises for each provider and resource: the Unix nanoseconds of the observation, or the last one's sequence + 1 if that is more
}

type payload struct {
	ID      string `json:"id"`
	Status  Status `json:"status"`
	Message string `json:"message"`
}

// Encode returns o as a message for its subject: a CloudEvent 1.0 in structured JSON with its content type in the header. The same arguments give the same bytes. Errors: *ObservationError.
func Encode(s Stamp, o Observation) (bridge.Letter, error) {
	o, err := o.Normal()
	if err != nil {
		return bridge.Letter{}, err
	}
	wrong := func(field, reason string) (bridge.Letter, error) {
		return bridge.Letter{}, &ObservationError{ServiceType: o.ServiceType, ID: o.ID, Field: field, Reason: reason}
	}
	switch reason := providerFault(s.Provider); {
	case reason != "":
		return wrong("Provider", reason)
	case s.ID.IsZero():
		return wrong("Stamp.ID", "is missing")
	case s.Sequence == 0:
		return wrong("Stamp.Sequence", "must be from 1")
	case o.Time.IsZero():
		return wrong("Time", "is missing")
	}
	e, err := cloudEvent(s, o)
	if err != nil {
		return wrong("CloudEvent", err.Error())
	}
	body, err := e.MarshalJSON()
	if err != nil {
		return wrong("CloudEvent", err.Error())
	}
	return bridge.Letter{
		ID:      e.ID(),
		Subject: Subject(o.ServiceType),
		Header:  map[string][]string{headerContentType: {bridge.ContentType}, headerMessageID: {e.ID()}},
		Data:    body,
	}, nil
}

func cloudEvent(s Stamp, o Observation) (event.Event, error) {
	e := event.New(event.CloudEventsVersionV1)
	e.SetID(s.ID.String())
	e.SetSource(sourceRoot + s.Provider)
	e.SetType(typeRoot + o.ServiceType)
	e.SetSubject(Subject(o.ServiceType))
	e.SetTime(o.Time.Round(0).UTC())
	e.SetExtension(extSequence, sequenceText(s.Sequence))
	if o.Raw != "" {
		e.SetExtension(extRawStatus, o.Raw)
	}
	if err := e.SetData(jsonMediaType, payload{ID: o.ID, Status: o.Status, Message: o.Message}); err != nil {
		return e, err
	}
	return e, e.Validate()
}

func sequenceText(n uint64) string { return fmt.Sprintf("%0*d", sequenceDigits, n) }

// sequenceOf is the sequence of an observation at t after one with the sequence last.
func sequenceOf(t time.Time, last uint64) uint64 {
	return max(uint64(max(t.UnixNano(), 0)), last+1)
}
