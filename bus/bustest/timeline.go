package bustest

import (
	"fmt"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
)

// timeline is what was recorded, as a failure prints it.
type timeline[T any] struct {
	events []bus.Event[T]
	gaps   map[int]bus.Gap // before which event
	mark   int             // the event at fault; -1: none is
}

// String prints one event a line, and what was missed between them.
func (l timeline[T]) String() string {
	if len(l.events)+len(l.gaps) == 0 {
		return "recorded: nothing"
	}
	var b strings.Builder
	b.WriteString("recorded:")
	for i := range len(l.events) + 1 {
		if g, ok := l.gaps[i]; ok {
			fmt.Fprintf(&b, "\n      %s", &bus.GapError{Gap: g})
		}
		if i < len(l.events) {
			b.WriteString("\n" + l.line(i))
		}
	}
	return b.String()
}

func (l timeline[T]) line(i int) string {
	e, mark := l.events[i], " "
	if i == l.mark {
		mark = ">"
	}
	return fmt.Sprintf("%s%4d  %s  %-28s %-16s %-12s seq=%-4d %+v", mark, i+1, e.Time.Format("15:04:05.000000"), e.Type, e.Subject(), e.Tenant, e.Seq, any(e.Payload))
}

// wanted prints the matchers, the one at fault marked.
func wanted[T any](ms []Matcher[T], fault int) string {
	var b strings.Builder
	b.WriteString("wanted:")
	for i, m := range ms {
		mark := " "
		if i == fault {
			mark = ">"
		}
		fmt.Fprintf(&b, "\n%s%4d  %s", mark, i+1, m)
	}
	if len(ms) == 0 {
		b.WriteString(" nothing")
	}
	return b.String()
}
