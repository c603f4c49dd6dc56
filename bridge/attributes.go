package bridge

import (
	"strings"

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
	specVersion    = "1.0"
	jsonMediaType  = "application/json"
	sequenceDigits = 20
)

// plainText reports whether s is ASCII that JSON writes as it is.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// parseSource reads a source; the reason says why it isn't one that comes out of a CloudEvent as it went in.
func parseSource(source string) (ref types.URIRef, reason string) {
	if source == "" {
		return ref, "is missing"
	}
	parsed := types.ParseURIRef(source)
	if parsed == nil || parsed.String() != source {
		return ref, "must be a URI reference, with what isn't allowed in one percent-encoded"
	}
	return *parsed, ""
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
