package cascade

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// marker begins the reason of each consequence: cascade <rule>: <kind>/<id> …
const marker = "cascade "

const (
	maxSteps   = 256   // of a chain that are looked at
	lookPage   = 64    // events of a resource that are read at a time, the newest first
	maxRelated = 20000 // events of a correlation among which a cause is looked for
)

// link is a consequence in a chain of causes.
type link struct{ rule, kind, id string }

// chain finds out which consequences led to an event, once, when somebody asks.
type chain struct {
	plugin *Plugin
	of     *event

	mu    sync.Mutex
	known bool
	found []link
}

// step is an event of the chain.
type step struct {
	header bus.Header
	news
}

// news is what a chain needs of an event's payload.
type news struct {
	Reason    string `json:"reason"`
	Operation bus.ID `json:"operation"`
}

// links returns the consequences that led to the event, the nearest first: itself, if it is one, and the one that began the operation it
// ends. It goes from each event to its cause; from the outcome of an operation to what began it, whoever reported the outcome.
func (c *chain) links(ctx context.Context) ([]link, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known {
		return c.found, nil
	}
	at := step{c.of.Header, news{c.of.change.Reason, c.of.change.Operation}}
	var found []link
	for range maxSteps {
		rule, kind, id, consequence := parse(at.Reason)
		if consequence {
			found = append(found, link{rule, at.header.Kind, at.header.ResourceID})
		}
		next, known, err := c.plugin.causeOf(ctx, at, kind, id)
		if err != nil {
			return nil, err
		}
		if !known {
			break
		}
		at = next
	}
	c.known, c.found = true, found
	return found, nil
}

// parse reads the reason of a consequence: the rule, and the resource of the event that it followed from.
func parse(reason string) (rule, kind, id string, ok bool) {
	rest, ok := strings.CutPrefix(reason, marker)
	rule, rest, found := strings.Cut(rest, ": ")
	subject, _, _ := strings.Cut(rest, " ")
	kind, id, named := strings.Cut(subject, "/")
	if !ok || !found || !named {
		return "", "", "", false
	}
	return rule, kind, id, true
}

// causeOf looks the cause of an event up in the journal. The cause of a consequence is an event of kind/id; an outcome's is what began the
// operation; any other may be an event of anything of the same correlation.
func (p *Plugin) causeOf(ctx context.Context, at step, kind, id string) (step, bool, error) {
	h := at.header
	switch operation := at.Operation; {
	case id != "":
		return p.look(ctx, journal.Query{Kind: kind, ResourceID: id, Before: h.Seq}, h.CausationID)
	case !operation.IsZero() && operation != h.ID:
		return p.look(ctx, journal.Query{Kind: h.Kind, ResourceID: h.ResourceID, Before: h.Seq}, operation.String())
	}
	return p.look(ctx, journal.Query{CorrelationID: h.CorrelationID, Before: h.Seq, Limit: 1000}, h.CausationID)
}

// look finds an event among those that a query selects, the newest first. Retention may have removed it: then the chain ends there.
func (p *Plugin) look(ctx context.Context, q journal.Query, eventID string) (step, bool, error) {
	if eventID == "" || q.Before <= 1 || q.Kind == "" && q.CorrelationID == "" {
		return step{}, false, nil
	}
	q.Newest = true
	if q.Limit == 0 {
		q.Limit = lookPage
	}
	for seen := 0; seen < maxRelated; {
		page, err := p.runtime.Journal().Query(ctx, q)
		if err != nil {
			return step{}, false, fmt.Errorf("cascade: the chain of causes: %w", err)
		}
		for _, record := range page {
			if record.ID.String() != eventID {
				continue
			}
			s := step{header: record.Header}
			_ = json.Unmarshal(record.Data, &s.news) // another sort of event has neither
			return s, true, nil
		}
		if len(page) < q.Limit {
			break
		}
		seen += len(page)
		q.Before = page[len(page)-1].Seq
	}
	return step{}, false, nil
}
