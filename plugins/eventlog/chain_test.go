package eventlog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

// draw writes a chain as text: each event by its resource, what it caused in parentheses.
func draw(nodes []*eventlog.Node) string {
	var all []string
	for _, n := range nodes {
		name := "?"
		if n.Event != nil {
			name = n.Event.ResourceID
		}
		if n.Cycle {
			name += "!"
		}
		if len(n.Children) > 0 {
			name += "(" + draw(n.Children) + ")"
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

// caused is an event of a chain.
func caused(id string, own, cause bus.ID, correlation string) news {
	n := say("vm.created", id, id)
	n.id, n.correlation = own, correlation
	if !cause.IsZero() {
		n.causation = cause.String()
	}
	return n
}

func (h *house) chain(q eventlog.ChainQuery) *eventlog.Chain {
	h.t.Helper()
	c, err := h.log.Chain(h.t.Context(), q)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// ids makes IDs of events.
func ids(n int) []bus.ID {
	all := make([]bus.ID, n)
	for i := range all {
		all[i] = bus.NewID(noon)
	}
	return all
}

func TestChainIsATreeOfCauses(t *testing.T) {
	h := open(t, `{}`)
	id := ids(7)
	root := id[0].String()
	h.record(
		caused("a", id[0], bus.ID{}, ""), say("vm.created", "other", 1), caused("b", id[1], id[0], root), caused("c", id[2], id[0], root),
		caused("d", id[3], id[1], root), caused("e", id[4], id[3], root), caused("f", id[5], id[0], root),
	)
	if _, err := h.log.Archive(t.Context(), eventlog.Selection{IDs: []string{id[3].String()}}); err != nil {
		t.Fatal(err)
	}
	const want = "a(b(d(e)) c f)"
	for _, q := range []eventlog.ChainQuery{{CorrelationID: root}, {Event: root}, {Event: id[4].String()}} {
		if c := h.chain(q); draw(c.Roots) != want || c.Events != 6 || c.CorrelationID != root || c.Next != "" {
			t.Errorf("%+v: %s, %d events of %s, want %s", q, draw(c.Roots), c.Events, c.CorrelationID, want)
		}
	}
}

func TestChainOfARequestHasSeveralRoots(t *testing.T) {
	h := open(t, `{}`)
	id := ids(3)
	h.record(caused("a", id[0], bus.ID{}, "req 1/x"), caused("b", id[1], bus.ID{}, "req 1/x"), caused("c", id[2], id[1], "req 1/x"))
	if c := h.chain(eventlog.ChainQuery{Event: id[2].String()}); draw(c.Roots) != "a b(c)" || c.CorrelationID != "req 1/x" {
		t.Errorf("%s of %s", draw(c.Roots), c.CorrelationID)
	}
}

func TestChainNamesCausesThatAreMissing(t *testing.T) {
	h := open(t, `{}`)
	id := ids(5)
	h.record(caused("b", id[1], id[0], "r"), caused("c", id[2], id[0], "r"), caused("d", id[3], id[4], "r"))
	c := h.chain(eventlog.ChainQuery{CorrelationID: "r"})
	if draw(c.Roots) != "?(b c) ?(d)" || c.Roots[0].Missing != id[0].String() || c.Roots[1].Missing != id[4].String() {
		t.Errorf("%s, missing %s and %s", draw(c.Roots), c.Roots[0].Missing, c.Roots[1].Missing)
	}
}

func TestChainOfEventsThatCauseOneAnotherEnds(t *testing.T) {
	h := open(t, `{}`)
	id := ids(4)
	h.record(caused("a", id[0], id[2], "r"), caused("b", id[1], id[0], "r"), caused("c", id[2], id[1], "r"), caused("self", id[3], id[3], "r"))
	if c := h.chain(eventlog.ChainQuery{CorrelationID: "r"}); draw(c.Roots) != "c!(a(b)) self!" || c.Events != 4 {
		t.Errorf("%s, %d events", draw(c.Roots), c.Events)
	}
}

func TestChainThatIsLongComesInParts(t *testing.T) {
	h := open(t, `{"effort": 1}`)
	id := ids(100)
	all := []news{caused("0", id[0], bus.ID{}, "")}
	for i := 1; i < len(id); i++ {
		all = append(all, caused(fmt.Sprint(i), id[i], id[i-1], id[0].String()), say("vm.created", "between", i))
	}
	h.record(all...)
	q := eventlog.ChainQuery{CorrelationID: id[0].String(), Limit: 40}
	var sizes []int
	for {
		c := h.chain(q)
		sizes = append(sizes, c.Events)
		if len(c.Roots) != 1 || q.After != "" && c.Roots[0].Missing != id[40*(len(sizes)-1)-1].String() {
			t.Errorf("part %d: %s", len(sizes), draw(c.Roots))
		}
		if q.After = c.Next; q.After == "" {
			break
		}
	}
	if fmt.Sprint(sizes) != "[40 40 20]" {
		t.Errorf("parts of %v events", sizes)
	}
}

func TestChainThatIsAskedWrongly(t *testing.T) {
	h := open(t, `{}`)
	for want, q := range map[string]eventlog.ChainQuery{
		"correlation \"\" is required, or event": {},
		"event \"x\" is given":                   {CorrelationID: "a", Event: "x"},
		"is no event's id":                       {Event: "web-1"},
		"is not in 1 to 4000":                    {CorrelationID: "a", Limit: 4001},
		"is no cursor":                           {CorrelationID: "a", After: "7"},
		"in the other order":                     {CorrelationID: "a", After: "n7"},
	} {
		_, err := h.log.Chain(t.Context(), q)
		var refused *eventlog.QueryError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", q, err, want)
		}
	}
	for _, q := range []eventlog.ChainQuery{{CorrelationID: "nobody"}, {Event: bus.NewID(noon).String()}} {
		if _, err := h.log.Chain(t.Context(), q); !errors.Is(err, eventlog.ErrNotFound) {
			t.Errorf("%+v: %v, want ErrNotFound", q, err)
		}
	}
}
