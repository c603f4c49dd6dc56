package eventlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Levels.
const (
	Info    = "info"
	Warning = "warning"
	Error   = "error"
)

// Levels lists them, from the lowest.
func Levels() []string { return []string{Info, Warning, Error} }

// LevelRule says what level events have. The first rule that fits an event decides; what none fits is Info.
type LevelRule struct {
	Type  string   `json:"type"`  // Pattern of event types, as bus.Type. Required.
	Field string   `json:"field"` // A value of the data, by its path: severity, resource.name. Defaults to none.
	Is    []string `json:"is"`    // What Field must be, one of these. Required with Field.
	Level string   `json:"level"` // Of Levels. Required.
}

// DefaultLevels returns the rules that come after those of the Options.
func DefaultLevels() []LevelRule {
	return []LevelRule{
		{Type: "*.stuck", Level: Warning},
		{Type: "action.*.*.failed", Level: Error},
		{Type: "*.operation.*.failed", Level: Error},
		{Type: "status.*.refused", Level: Warning},
		{Type: "alert.*.raised", Field: "severity", Is: []string{"critical", "error"}, Level: Error},
		{Type: "alert.*.raised", Field: "severity", Is: []string{"info"}, Level: Info},
		{Type: "alert.*.raised", Level: Warning},
		{Type: "*.state.*", Field: "to", Is: []string{"error", "failed"}, Level: Error},
		{Type: "*.state.*", Field: "trigger", Is: []string{"operation_failed", "operation_timed_out", "creation_failed"}, Level: Warning},
	}
}

// levelRule is a LevelRule, compiled.
type levelRule struct {
	pattern bus.Pattern
	path    []string
	is      []string
	level   string
}

func compileLevels(option string, rules []LevelRule) ([]levelRule, error) {
	compiled := make([]levelRule, len(rules))
	for i, r := range rules {
		at := fmt.Sprintf("%s[%d]", option, i)
		p, err := bus.ParsePattern(r.Type)
		switch {
		case err != nil:
			return nil, &OptionError{Option: at + ".type", Reason: err.Error()}
		case !slices.Contains(Levels(), r.Level):
			return nil, &OptionError{Option: at + ".level", Reason: fmt.Sprintf("is %q", r.Level), Known: Levels()}
		case r.Field == "" && len(r.Is) > 0:
			return nil, &OptionError{Option: at + ".is", Reason: "is given without a field"}
		case r.Field != "" && len(r.Is) == 0:
			return nil, &OptionError{Option: at + ".field", Reason: fmt.Sprintf("is %q, and is says nothing", r.Field)}
		}
		compiled[i] = levelRule{pattern: p, is: r.Is, level: r.Level}
		if r.Field != "" {
			compiled[i].path = strings.Split(r.Field, ".")
		}
	}
	return compiled, nil
}

// levelOf returns the level of an event.
func levelOf(rules []levelRule, eventType string, data []byte) string {
	for _, r := range rules {
		if r.pattern.Match(eventType) && (r.path == nil || r.mayHold(data) && slices.Contains(r.is, valueAt(data, r.path))) {
			return r.level
		}
	}
	return Info
}

// mayHold reports whether it's worth while to decode a document: most have nowhere in them what a rule looks for.
func (r levelRule) mayHold(data []byte) bool {
	for _, is := range r.is {
		if strings.ContainsFunc(is, func(c rune) bool { return !inWord(c) && !joins(c) }) || bytes.Contains(data, []byte(is)) { // others may be escaped
			return true
		}
	}
	return false
}

// valueAt returns a string, number or truth value of a document as text; "" if there is none.
func valueAt(data []byte, path []string) string {
	for _, key := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil {
			return ""
		}
		data = object[key]
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		return text
	}
	if len(data) > 0 && data[0] != '{' && data[0] != '[' && string(data) != "null" {
		return string(data)
	}
	return ""
}
