package schema

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/invopop/jsonschema"
)

// Entry is an event type, or a pattern of types whose tokens aren't known before they come.
type Entry struct {
	Type    string `json:"type"`              // vm.state.running; a pattern: alert.>
	Schema  int    `json:"schema"`            // its number
	Pattern bool   `json:"pattern,omitempty"` // Type stands for many
	Subject string `json:"subject"`           // where the bridge publishes it, all tenants: cloudbus.*.vm.state.running
	URL     string `json:"url,omitempty"`     // of the schema; none for a pattern: put in the type
}

// Schemas knows the event types of an engine and its bus. All methods may be called concurrently.
type Schemas struct{ engine *resources.Engine }

// Of returns the schemas of an engine's kinds, and of what else is registered on its bus, as it is when they are asked.
func Of(engine *resources.Engine) *Schemas { return &Schemas{engine: engine} }

// List returns the event types, in order: each of a kind's, and what else is registered as it was.
func (s *Schemas) List() []Entry {
	var all []Entry
	for _, r := range s.engine.Bus().Registrations() {
		for _, eventType := range s.types(r) {
			all = append(all, entry(eventType, r.Schema))
		}
	}
	slices.SortFunc(all, func(a, b Entry) int {
		if a.Type == b.Type {
			return a.Schema - b.Schema
		}
		return strings.Compare(a.Type, b.Type)
	})
	return slices.Compact(all)
}

func entry(eventType string, number int) Entry {
	e := Entry{Type: eventType, Schema: number, Pattern: strings.ContainsAny(eventType, "*>"), Subject: bridge.Root + ".*." + eventType}
	if !e.Pattern {
		e.URL = path(eventType, number)
	}
	return e
}

// path is where a schema is served.
func path(eventType string, number int) string {
	return fmt.Sprintf("%s/%s?schema=%d", route, url.PathEscape(eventType), number)
}

// types lists the event types of a registration: those of a kind by its machine, else the pattern.
func (s *Schemas) types(r bus.Registration) []string {
	kind, rest, _ := strings.Cut(r.Pattern, ".")
	h, err := s.engine.Kind(kind)
	if err != nil || rest != ">" {
		return []string{r.Pattern}
	}
	all := []string{kind + ".created", kind + ".updated", kind + ".removed", kind + ".snapshot"}
	for _, to := range h.Machine().States() {
		all = append(all, kind+".state."+string(to))
	}
	return all
}

// Schema returns the schema of the data of a type's events; of the newest number, if number is 0. false: no such type is registered.
func (s *Schemas) Schema(eventType string, number int) (*jsonschema.Schema, bool) {
	if strings.ContainsAny(eventType, "*>") {
		return nil, false
	}
	r, ok := s.engine.Bus().Registration(eventType, number)
	if !ok {
		return nil, false
	}
	root := reflected(r.Type, s.machine(eventType))
	root.ID = jsonschema.ID(path(eventType, r.Schema))
	root.Title = eventType
	narrow(root, eventType)
	return root, true
}

// machine returns the machine whose states an event type's data speak of; nil if they are no kind's.
func (s *Schemas) machine(eventType string) *fsm.Machine {
	first, rest, _ := strings.Cut(eventType, ".")
	if first == "status" {
		first, _, _ = strings.Cut(rest, ".")
	}
	h, err := s.engine.Kind(first)
	if err != nil {
		return nil
	}
	return h.Machine()
}

// changeType is what makes a payload a change of a resource.
var changeType = reflect.TypeFor[resources.AnyChanged]()

// narrow says what is the same in all events of a type about a change.
func narrow(root *jsonschema.Schema, eventType string) {
	if root.Extras["x-go-changed"] != true {
		return
	}
	delete(root.Extras, "x-go-changed")
	kind, what, _ := strings.Cut(eventType, ".")
	properties := jsonschema.NewProperties()
	properties.Set("kind", &jsonschema.Schema{Const: kind})
	if to, moved := strings.CutPrefix(what, "state."); moved {
		properties.Set("action", &jsonschema.Schema{Const: string(resources.Moved)})
		properties.Set("to", &jsonschema.Schema{Const: to})
	} else {
		properties.Set("action", &jsonschema.Schema{Const: what})
	}
	root.Properties = properties
}

// isChanged reports whether a payload is a resource's change.
func isChanged(t reflect.Type) bool { return t.Implements(changeType) }
