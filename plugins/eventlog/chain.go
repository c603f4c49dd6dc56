package eventlog

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/cloudbus-go/cloudbus/bus"
	"gorm.io/gorm"
)

// ChainQuery names a chain: what one request, say, has caused. Archived events are part of it.
type ChainQuery struct {
	CorrelationID string // that its events share, or the ID of the event that began it. One of these two is required.
	Event         string // the ID of any of its events
	After         string // Chain.Next of the part before
	Limit         int    // Defaults to 1,000; at most 4,000.
}

const (
	chainLimit    = 1000
	maxChainLimit = 4000
)

// Chain is what one thing led to, as trees: each event has those below it that it caused.
type Chain struct {
	CorrelationID string  `json:"correlation_id"`
	Events        int     `json:"events"` // in this part
	Roots         []*Node `json:"roots"`
	// Next is After of the next part: there are more events than the limit. Of events whose cause is in a part before, Missing names it.
	Next string `json:"next,omitempty"`
}

// Node is an event and what it caused.
type Node struct {
	Event    *Event  `json:"event,omitempty"`
	Missing  string  `json:"missing,omitempty"` // instead of Event: the ID of a cause that isn't here
	Cycle    bool    `json:"cycle,omitempty"`   // its cause is below it: events that name one another as their causes
	Children []*Node `json:"children,omitempty"`
}

// Chain returns a chain, the oldest events first. Errors: *QueryError; ErrNotFound if there is no such event, or no event of such a chain.
func (p *Plugin) Chain(ctx context.Context, q ChainQuery) (*Chain, error) {
	if p.runtime == nil {
		return nil, errNotStarted
	}
	after, err := q.check()
	if err != nil {
		return nil, err
	}
	c := &Chain{CorrelationID: q.CorrelationID}
	err = p.reading(ctx, func(db *gorm.DB) (err error) {
		if q.Event != "" {
			e, err := eventOf(db, q.Event)
			if err != nil {
				return err
			}
			c.CorrelationID = e.chain()
		}
		return c.read(db, after, q.Limit)
	})
	if err != nil {
		return nil, fmt.Errorf("chain of %s: %w", q.CorrelationID+q.Event, err)
	}
	return c, nil
}

func (q *ChainQuery) check() (after uint64, err error) {
	switch {
	case q.Limit < 0 || q.Limit > maxChainLimit:
		return 0, &QueryError{Field: "limit", Value: strconv.Itoa(q.Limit), Reason: fmt.Sprintf("is not in 1 to %d", maxChainLimit)}
	case q.CorrelationID == "" && q.Event == "":
		return 0, &QueryError{Field: "correlation", Reason: "is required, or event"}
	case q.CorrelationID != "" && q.Event != "":
		return 0, &QueryError{Field: "event", Value: q.Event, Reason: "is given, and correlation too"}
	}
	if fault := bus.TextFault(q.CorrelationID); fault != "" {
		return 0, &QueryError{Field: "correlation", Value: q.CorrelationID, Reason: fault}
	}
	if _, err := bus.ParseID(q.Event); err != nil {
		return 0, &QueryError{Field: "event", Value: q.Event, Reason: "is no event's id"}
	}
	if q.Limit == 0 {
		q.Limit = chainLimit
	}
	if q.After != "" {
		return parseCursor("after", Oldest, q.After)
	}
	return 0, nil
}

// eventOf returns the event with an ID, ErrNotFound if there is none.
func eventOf(db *gorm.DB, id string) (*Event, error) {
	parsed, err := bus.ParseID(id)
	if err != nil {
		return nil, err
	}
	f := newFilter(Query{Archived: All})
	f.id = parsed.String()
	h, err := f.begin(db, false, 1, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	c, err := h.find(1)
	if err == nil && len(c.events) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return c.events[0], nil
}

// read reads a part of the chain.
func (c *Chain) read(db *gorm.DB, after uint64, limit int) error {
	f := newFilter(Query{Archived: All})
	f.chain = c.CorrelationID
	h, err := f.begin(db, false, after+1, math.MaxInt64)
	if err != nil {
		return err
	}
	var events []*Event
	for ended := false; !ended && len(events) <= limit; {
		h.work.left = usualEffort // there is nothing in vain: its terms are of these events alone
		part, err := h.find(limit + 1 - len(events))
		if err != nil {
			return err
		}
		events, ended = append(events, part.events...), part.ended
	}
	if len(events) == 0 && after == 0 {
		return ErrNotFound
	}
	if len(events) > limit {
		events = events[:limit]
		c.Next = cursorOf(Oldest, events[limit-1].Seq)
	}
	c.Events, c.Roots = len(events), plant(events)
	return nil
}

// plant makes trees of events, which come in order: each event, and each cause that isn't among them, stands where the first of what it caused needs it.
func plant(events []*Event) []*Node {
	nodes := make(map[string]*Node, len(events))
	for _, e := range events {
		nodes[e.ID.String()] = &Node{Event: e}
	}
	roots := []*Node{}
	below := make(map[*Node]*Node) // parents
	for _, e := range events {
		node := nodes[e.ID.String()]
		parent := nodes[e.CausationID]
		switch {
		case e.CausationID == "":
			roots = append(roots, node)
			continue
		case parent == nil:
			parent = &Node{Missing: e.CausationID}
			nodes[e.CausationID] = parent
			roots = append(roots, parent)
		case isBelow(below, parent, node):
			node.Cycle = true
			roots = append(roots, node)
			continue
		}
		parent.Children = append(parent.Children, node)
		below[node] = parent
	}
	return roots
}

// isBelow reports whether a node is another one, or below it.
func isBelow(parents map[*Node]*Node, node, other *Node) bool {
	for ; node != nil; node = parents[node] {
		if node == other {
			return true
		}
	}
	return false
}
