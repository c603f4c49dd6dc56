package show

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
)

// Event returns a line about an event: number, time, type, subject, who did it, and what of its data tells most.
func (i Ink) Event(e client.Event) string {
	seq := ""
	if e.Seq > 0 {
		seq = fmt.Sprint(e.Seq)
	}
	parts := []string{i.In(Dim, fmt.Sprintf("%6s  %s", seq, i.Clock.Time(e.Time))), i.In(colorOf(e.Type), pad(e.Type, 26)), pad(Plain(e.Subject), 16)}
	if who := whoOf(e); who != "" {
		parts = append(parts, i.In(Dim, who))
	}
	if what := detailOf(e.Data); what != "" {
		parts = append(parts, Plain(what))
	}
	return strings.TrimRight(strings.Join(parts, "  "), " ")
}

// Note returns the same about an event in a tree, where it stands behind a branch.
func (i Ink) Note(e client.Event) string {
	parts := []string{i.In(colorOf(e.Type), e.Type)}
	if e.Subject != "" {
		parts = append(parts, Plain(e.Subject))
	}
	if who := whoOf(e); who != "" {
		parts = append(parts, i.In(Dim, who))
	}
	if what := detailOf(e.Data); what != "" {
		parts = append(parts, Plain(what))
	}
	parts = append(parts, i.In(Dim, fmt.Sprintf("#%d %s", e.Seq, i.Clock.Time(e.Time))))
	return strings.Join(parts, "  ")
}

func whoOf(e client.Event) string {
	switch {
	case e.Tenant != "" && e.Actor != "":
		return e.Tenant + " by " + e.Actor
	case e.Actor != "":
		return "by " + e.Actor
	}
	return e.Tenant
}

// detail is what many payloads have and people want to know; the rest is what -o json is for.
type detail struct {
	From    any    `json:"from"` // a state, or in other payloads a time
	To      any    `json:"to"`
	Trigger string `json:"trigger"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
	Error   string `json:"error"`
}

func detailOf(data json.RawMessage) string {
	var d detail
	if json.Unmarshal(data, &d) != nil {
		return "" // of another shape
	}
	var parts []string
	from, isMove := d.From.(string)
	if to, ok := d.To.(string); ok && isMove && from != "" && from != to {
		parts = append(parts, from+" → "+to)
	}
	if d.Trigger != "" {
		parts = append(parts, "on "+d.Trigger)
	}
	for _, text := range []string{d.Message, d.Reason, d.Error} {
		if text != "" {
			parts = append(parts, "("+text+")")
		}
	}
	return strings.Join(parts, " ")
}

// colorOf is by what an event's type says in the whole.
func colorOf(eventType string) Color {
	last := eventType[strings.LastIndexByte(eventType, '.')+1:]
	switch last {
	case "failed", "stuck", "raised", "refused", "error":
		return Red
	case "succeeded", "cleared":
		return Green
	}
	return Cyan
}

func pad(s string, width int) string {
	s = Plain(s)
	if n := width - len([]rune(s)); n > 0 {
		s += strings.Repeat(" ", n)
	}
	return s
}
