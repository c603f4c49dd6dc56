package evbus

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Call is the payload of a Publish on the bus below: a topic and arguments. Its event type is the bus's name and the topic,
// so order.paid of a bus called evbus is evbus.order.paid. Bytes that an event type can't have are written _xx, an underscore __.
//
// Who subscribes to Call gets the publisher's own arguments: they are shared, and nothing is taken out of them. Its JSON has no secrets in it.
type Call struct {
	event string
	topic string
	slot  string
	args  []any // unexported, so that pointers reach handlers as they are
}

// Topic returns the topic that was published to.
func (c Call) Topic() string { return c.topic }

// Args returns the arguments that it was published with.
func (c Call) Args() []any { return slices.Clone(c.args) }

// EventType is the bus's name and the topic.
func (c Call) EventType() string { return c.event }

// Address spreads the calls over the lanes of handlers with several workers; a call is about no resource.
func (c Call) Address() (tenant, kind, id string) { return "", "", c.slot }

// MarshalJSON writes {"topic":…,"args":[…]}, fields tagged cloudbus:"secret" left out.
func (c Call) MarshalJSON() ([]byte, error) {
	args, err := bus.Sanitised(append([]any{}, c.args...))
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Topic string `json:"topic"`
		Args  []any  `json:"args"`
	}{c.topic, args})
}

var _ bus.Addressed = Call{}

// slotNames spread calls over lanes: many more than most handlers have, as their hashes decide.
var slotNames = sync.OnceValue(func() []string {
	names := make([]string, 1024)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
})

// maxEventType is the longest event type that the bus below takes.
const maxEventType = 1024

// eventType is the type of a topic's events. Different topics have different ones.
func eventType(name, topic string) string {
	var s strings.Builder
	escape(&s, name, false)
	s.WriteByte('.')
	if topic == "" {
		s.WriteByte('_')
	}
	escape(&s, topic, true)
	return s.String()
}

// escape writes text as tokens; dots separate them where that leaves none empty.
func escape(s *strings.Builder, text string, dots bool) {
	const hex = "0123456789abcdef"
	start := true // of a token
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-':
			s.WriteByte(c)
		case c == '_':
			s.WriteString("__")
		case c == '.' && dots && !start && i < len(text)-1:
			s.WriteByte('.')
			start = true
			continue
		default:
			s.WriteByte('_')
			s.WriteByte(hex[c>>4])
			s.WriteByte(hex[c&15])
		}
		start = false
	}
}
