package status

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudevents/sdk-go/v2/event"
)

// MaxSize is how long the body of a message can be, in bytes, and how long its header.
const MaxSize = 64 << 10

// Report is an observation as it came in.
type Report struct {
	ID          string    // of the event
	Source      string    // of the event: dcm/providers/vcenter-1, kubevirt.localhost
	Provider    string    // the name in Source: vcenter-1; the whole of a source that isn't dcm/providers/<name>
	Sequence    uint64    // 0 if the provider sends none, or none of digits alone
	Time        time.Time // when it was observed, UTC; zero if the provider doesn't say
	ServiceType string    // "storage"
	Kind        string    // of the resources of this type: "volume"
	ResourceID  string    //
	Status      Status    // as the service type writes it
	Raw         string    // the platform's own word; if the provider sent none, the status as it wrote it
	Message     string    //
	Data        []byte    // JSON, as it came
}

// Decoder reads observations of the service types it knows. It may be used concurrently.
type Decoder struct{ types map[string]ServiceType }

// NewDecoder knows the built-in service types and more; of those with the same name the last one counts.
func NewDecoder(more ...ServiceType) (*Decoder, error) {
	d := &Decoder{types: map[string]ServiceType{}}
	for _, t := range append(BuiltIn(), more...) {
		if err := t.check(); err != nil {
			return nil, err
		}
		d.types[t.Name] = t
	}
	return d, nil
}

// ServiceType returns what is registered under a name.
func (d *Decoder) ServiceType(name string) (ServiceType, bool) {
	t, ok := d.types[name]
	return t, ok
}

var builtInDecoder = sync.OnceValues(func() (*Decoder, error) { return NewDecoder() })

// Decode reads an observation of a built-in service type, see Decoder.Decode.
func Decode(l bridge.Letter) (Report, error) {
	d, err := builtInDecoder()
	if err != nil {
		return Report{}, err
	}
	return d.Decode(l)
}

// Decode reads an observation: a CloudEvent in structured JSON, with or without a header that says so, or in binary mode
// (attributes as ce-* in the header, in any case, their values percent-encoded). A letter without a subject is taken to have come on the right one.
//
// It is strict. Errors: *RejectError; the report then has what was read before the fault was found. The report shares no memory with l.
func (d *Decoder) Decode(l bridge.Letter) (Report, error) {
	var r Report
	if len(l.Data) > MaxSize {
		return r, reject(TooLarge, "%d bytes; at most %d are allowed", len(l.Data), MaxSize)
	}
	if n := headerSize(l); n > MaxSize {
		return r, reject(TooLarge, "a header of %d bytes; at most %d are allowed", n, MaxSize)
	}
	e, err := readEvent(l)
	if err != nil {
		return r, err
	}
	if err := r.readAttributes(e); err != nil {
		return r, err
	}
	t, err := d.typeOf(e.Type(), l.Subject)
	if err != nil {
		return r, err
	}
	r.ServiceType, r.Kind = t.Name, t.Kind
	return r, r.readData(t, e.Data())
}

// headerSize is what a letter's header has, in bytes.
func headerSize(l bridge.Letter) (n int) {
	for name, values := range l.Header {
		n += len(name)
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}

// providerOf is the name in a source.
func providerOf(source string) string {
	if name, ours := strings.CutPrefix(source, sourceRoot); ours && name != "" {
		return name
	}
	return source
}

// typeOf finds the service type that an event of eventType on a subject is about.
func (d *Decoder) typeOf(eventType, subject string) (ServiceType, error) {
	name, ours := strings.CutPrefix(eventType, typeRoot)
	if !ours || subject != "" && subject != Subject(name) {
		return ServiceType{}, reject(WrongSubject, "an event of type %q on subject %q; subjects are %s<serviceType>, types %s<serviceType>", eventType, subject, subjectRoot, typeRoot)
	}
	t, known := d.types[name]
	if !known {
		return t, reject(UnknownType, "service type %q isn't registered", name)
	}
	return t, nil
}

func (r *Report) readAttributes(e event.Event) error {
	r.ID, r.Source, r.Provider = e.ID(), e.Source(), providerOf(e.Source())
	for _, a := range [...]struct{ name, value string }{{"id", r.ID}, {"source", r.Source}, {"type", e.Type()}} {
		if reason := bus.TextFault(a.value); reason != "" {
			return reject(BadAttribute, "%s %s", a.name, reason)
		}
		if len(a.value) > maxAttribute {
			return reject(BadAttribute, "%s has %d bytes; at most %d are allowed", a.name, len(a.value), maxAttribute)
		}
	}
	if t := e.Time(); !t.IsZero() {
		r.Time = t.UTC()
	}
	if reason := timeFault(r.Time); reason != "" {
		return reject(BadAttribute, "time %s", reason)
	}
	r.Sequence = readSequence(e.Extensions()[extSequence])
	if raw, ok := e.Extensions()[extRawStatus].(string); ok {
		r.Raw = clean(raw, maxRaw)
	}
	return nil
}

const maxAttribute = 256

// readSequence takes digits alone: other providers may number in ways of their own, which say nothing to us.
func readSequence(extension any) uint64 {
	text, ok := extension.(string)
	if !ok || strings.HasPrefix(text, "+") {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (r *Report) readData(t ServiceType, data []byte) error {
	fields, err := splitObject(data)
	if err != nil {
		return reject(NotAnObject, "data: %v", err)
	}
	r.Data = data
	var status string
	for _, f := range [...]struct {
		name string
		into *string
	}{{"id", &r.ResourceID}, {"status", &status}, {"message", &r.Message}} {
		value, has := fields[f.name]
		if !has {
			continue
		}
		if value[0] != '"' {
			return reject(BadData, "data: %s must be a string", f.name)
		}
		if err := json.Unmarshal(value, f.into); err != nil {
			return reject(BadData, "data: %s: %v", f.name, err)
		}
	}
	r.Message = clean(r.Message, maxMessage)
	if reason := resourceIDFault(r.ResourceID); reason != "" {
		return reject(NoResourceID, "data: id %s", reason)
	}
	known := false
	if r.Status, known = t.Parse(status); !known {
		return reject(BadStatus, "data: status %q; a %s has %v", clean(status, maxRaw), t.Name, t.Statuses)
	}
	if r.Raw == "" {
		r.Raw = status
	}
	return nil
}
