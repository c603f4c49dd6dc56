package bridge

import (
	"net/url"

	"github.com/cloudbus-go/cloudbus/bus"
)

// ContentType of a message whose Data is a CloudEvent in structured mode.
const ContentType = "application/cloudevents+json; charset=utf-8"

// Message is one event on its way to a broker. A sink writes ContentType (if there is one) and Attributes where its protocol's binding of CloudEvents says, and
// Data as it is; that is right in both modes.
type Message struct {
	ID          string      // of the event, the same at every repeat: what a broker tells repeats by
	Subject     string      // cloudbus.<tenant>.<type>, see Subject; of a state cloudbus-state.<tenant>.<kind>.<id>, see StateSubject
	ContentType string      // of Data: ContentType in structured mode; that of the event's data in binary mode, "" if it has none
	Attributes  []Attribute // in binary mode the CloudEvent's attributes, without datacontenttype; none in structured mode
	Data        []byte      // the CloudEvent, in binary mode its data alone; shared, to be read only
	Header      bus.Header  // of the event
}

// NewMessage returns the message that a bridge with these options (Mode, Schemas and State) sends for an event: for tests of sinks, and for those who send one by themselves.
// Errors: *EncodeError.
func NewMessage(e bus.Event[bus.Raw], o Options) (Message, error) { return o.message(&e, false) }

// message is NewMessage without the copy, of an event that may be recorded, see check.
func (o Options) message(e *bus.Event[bus.Raw], recorded bool) (Message, error) {
	subject, attribute, err := o.subject(&e.Header)
	if err != nil {
		return Message{}, &EncodeError{ID: e.ID.String(), Attribute: attribute, Reason: err.Error()}
	}
	m := Message{ID: e.ID.String(), Subject: subject, ContentType: ContentType, Header: e.Header}
	dataSchema := ""
	if o.Schemas != "" && len(e.Payload) > 0 && e.Schema > 0 {
		dataSchema = o.Schemas + url.PathEscape(e.Type) + "?schema=" + number(uint64(e.Schema))
	}
	if o.Mode == Binary {
		m.ContentType, m.Attributes, m.Data, err = encodeBinary(e, dataSchema, recorded)
	} else {
		m.Data, err = encode(e, dataSchema, recorded)
	}
	return m, err
}

// subject returns where the message goes, and which attribute is at fault if there is no such place.
func (o Options) subject(h *bus.Header) (subject, attribute string, err error) {
	if o.State {
		subject, err = StateSubject(h.Tenant, h.Kind, h.ResourceID)
		return subject, "subject", err
	}
	subject, err = Subject(h.Tenant, h.Type)
	return subject, "type", err
}
