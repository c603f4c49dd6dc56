package bridge

import (
	"mime"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudevents/sdk-go/v2/types"
)

// Extension attributes of our CloudEvents, all of them strings, each left out when the event has no such thing.
const (
	extSequence        = "sequence"        // place in the journal: 20 digits, so that they sort as text
	extTenant          = "tenant"          //
	extActor           = "actor"           // who caused it
	extResourceVersion = "resourceversion" // of the resource after the change: orders the events of one resource
	extSchemaVersion   = "schemaversion"   // of the payload
	extCorrelationID   = "correlationid"   // shared by all that one request caused
	extCausationID     = "causationid"     // id of the event that caused this one
	extTraceParent     = "traceparent"     // W3C trace context
)

const (
	specVersion     = "1.0"
	jsonMediaType   = "application/json"
	structuredMedia = "application/cloudevents"
	sequenceDigits  = 20
	mostAttributes  = 15 // that an event of ours can have
)

// Attribute of a CloudEvent, as text: {"type", "vm.created"}.
type Attribute struct{ Name, Value string }

// attributes lists those of an event without datacontenttype, in a fixed order; what it hasn't is left out.
func attributes(h *bus.Header, dataSchema string) []Attribute {
	all := make([]Attribute, 0, mostAttributes)
	add := func(name, value string) {
		if value != "" {
			all = append(all, Attribute{name, value})
		}
	}
	add("specversion", specVersion)
	add("id", h.ID.String())
	add("source", h.Source)
	add("type", h.Type)
	add("subject", joinSubject(h.Kind, h.ResourceID))
	if !h.Time.IsZero() {
		add("time", h.Time.UTC().Format(time.RFC3339Nano))
	}
	add("dataschema", dataSchema)
	add(extSequence, sequence(h.Seq))
	add(extTenant, h.Tenant)
	add(extActor, h.Actor)
	add(extResourceVersion, number(h.Version))
	add(extSchemaVersion, number(uint64(h.Schema)))
	add(extCorrelationID, h.CorrelationID)
	add(extCausationID, h.CausationID)
	add(extTraceParent, h.TraceParent)
	return all
}

func isExtension(name string) bool {
	switch name {
	case extSequence, extTenant, extActor, extResourceVersion, extSchemaVersion, extCorrelationID, extCausationID, extTraceParent:
		return true
	}
	return false
}

func number(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func sequence(n uint64) string {
	if n == 0 {
		return ""
	}
	var digits [sequenceDigits]byte
	for i := sequenceDigits - 1; i >= 0; i-- {
		digits[i], n = '0'+byte(n%10), n/10
	}
	return string(digits[:])
}

// plainText reports whether s is ASCII that JSON writes as it is.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// lastSource is the one that was read last: the events of a bus have the same.
var lastSource atomic.Pointer[parsedSource]

type parsedSource struct {
	text string
	ref  types.URIRef
}

// parseSource reads a source; the reason says why it isn't one that comes out of a CloudEvent as it went in. The reference is shared, and to be read only.
func parseSource(source string) (ref types.URIRef, reason string) {
	if last := lastSource.Load(); last != nil && last.text == source {
		return last.ref, ""
	}
	if source == "" {
		return ref, "is missing"
	}
	parsed := types.ParseURIRef(source)
	if parsed == nil || parsed.String() != source {
		return ref, "must be a URI reference, with what isn't allowed in one percent-encoded"
	}
	lastSource.Store(&parsedSource{source, *parsed})
	return *parsed, ""
}

// checkURI says what keeps an attribute from being an absolute URI.
func checkURI(text string) (reason string) {
	if u, err := url.Parse(text); err != nil || !u.IsAbs() || bus.TextFault(text) != "" {
		return "must be an absolute URI"
	}
	return ""
}

// isJSON reports whether a content type is JSON's.
func isJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == jsonMediaType
}

// joinSubject is kind/id, or the one that is set; an id alone begins with a slash, so that splitSubject can tell.
func joinSubject(kind, id string) string {
	if id == "" {
		return kind
	}
	return kind + "/" + id
}

// checkKind says what keeps a kind from being part of a subject.
func checkKind(kind string) string {
	if strings.Contains(kind, "/") {
		return "must not have a kind with a slash in it"
	}
	return ""
}

func splitSubject(subject string) (kind, id, reason string) {
	kind, id, slash := strings.Cut(subject, "/")
	if subject == "" || slash && id == "" {
		return "", "", "must be <kind>/<id>, a kind, or /<id>"
	}
	return kind, id, ""
}

func attributeName(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
