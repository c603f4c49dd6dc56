package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

// question is something that is asked of a log.
type question struct {
	name string
	do   func(*eventLog) error
}

// pageSize is such that a page is full in the small log too.
const pageSize = 50

// asks makes a question of a query; with anywhere it's asked at random places.
func asks(name string, anywhere bool, query func(l *eventLog) eventlog.Query) question {
	return question{name, func(l *eventLog) error {
		q := query(l)
		q.Limit = pageSize
		if anywhere {
			if q.Order == eventlog.Oldest {
				q.FirstSeq = 1 + rand.Uint64N(uint64(l.n/2))
			} else {
				q.LastSeq = uint64(l.n/2) + rand.Uint64N(uint64(l.n/2))
			}
		}
		_, err := l.log.List(l.ctx, q)
		return err
	}}
}

func fixed(q eventlog.Query) func(*eventLog) eventlog.Query {
	return func(*eventLog) eventlog.Query { return q }
}

var questions = []question{
	asks("newest page", false, fixed(eventlog.Query{})),
	asks("page at a random place, newest first", true, fixed(eventlog.Query{})),
	asks("page at a random place, oldest first", true, fixed(eventlog.Query{Order: eventlog.Oldest})),
	asks("page by tenant", true, func(*eventLog) eventlog.Query { return eventlog.Query{Tenant: fmt.Sprint("tenant-", rand.IntN(50))} }),
	asks("page by kind", true, fixed(eventlog.Query{Kind: "volume"})),
	asks("page by resource", false, func(l *eventLog) eventlog.Query {
		return eventlog.Query{Kind: "vm", ResourceID: fmt.Sprintf("vm-%08d", rand.IntN(l.n/100))}
	}),
	asks("page by actor", true, func(*eventLog) eventlog.Query {
		return eventlog.Query{Actor: fmt.Sprint("user:", rand.IntN(50)), Order: eventlog.Oldest}
	}),
	asks("page by type", true, fixed(eventlog.Query{Type: "vm.stuck", Order: eventlog.Oldest})),
	asks("page by pattern vm.>", true, fixed(eventlog.Query{Type: "vm.>"})),
	asks("page by pattern *.state.running", true, fixed(eventlog.Query{Type: "*.state.running"})),
	asks("page by level", true, fixed(eventlog.Query{Levels: []string{eventlog.Warning, eventlog.Error}})),
	asks("page by a time, half an hour", false, func(l *eventLog) eventlog.Query {
		since := time.Unix(0, 1780000000000000000).Add(time.Duration(rand.IntN(l.n-1800)) * time.Second)
		return eventlog.Query{Since: since, Until: since.Add(30 * time.Minute)}
	}),
	asks("page by an hour and a tenant", false, func(l *eventLog) eventlog.Query {
		since := time.Unix(0, 1780000000000000000).Add(time.Duration(rand.IntN(l.n-3600)) * time.Second)
		return eventlog.Query{Since: since, Until: since.Add(time.Hour), Tenant: fmt.Sprint("tenant-", rand.IntN(50))}
	}),
	asks("page by a correlation", false, func(l *eventLog) eventlog.Query {
		return eventlog.Query{CorrelationID: fmt.Sprintf("01900000-0000-7000-8000-%012x", rand.IntN(l.n/8)*8)}
	}),
	asks("page by a common word", true, fixed(eventlog.Query{Text: "operator"})),
	asks("page by a word of a fiftieth", true, func(*eventLog) eventlog.Query { return eventlog.Query{Text: fmt.Sprint("tenant-", rand.IntN(50))} }),
	asks("page by a rare word", false, func(l *eventLog) eventlog.Query {
		return eventlog.Query{Text: fmt.Sprintf("vm-%08d", rand.IntN(l.n/100))}
	}),
	asks("page by a phrase", true, fixed(eventlog.Query{Text: `"operator of rack-17"`})),
	asks("page by a prefix", true, fixed(eventlog.Query{Text: "host-12*"})),
	asks("page by tenant and type", true, func(*eventLog) eventlog.Query {
		return eventlog.Query{Tenant: fmt.Sprint("tenant-", rand.IntN(50)), Type: "vm.state.running"}
	}),
	asks("page by tenant, level, kind and a word", true, func(*eventLog) eventlog.Query {
		return eventlog.Query{Tenant: fmt.Sprint("tenant-", rand.IntN(50)), Levels: []string{eventlog.Warning}, Kind: "vm", Text: "server"}
	}),
	asks("page by what is very rare", false, fixed(eventlog.Query{Tenant: "rare"})),
	asks("page by what never comes together", false, fixed(eventlog.Query{Text: "running stopped"})),
	asks("page by a phrase that never comes, of common words", false, fixed(eventlog.Query{Text: `"operator by the"`})),
	asks("page by a prefix of very many words that a rare tenant has", false, fixed(eventlog.Query{Text: "vm-*", Tenant: "rare"})),
	asks("page by a prefix of very many words that never is with another", false, fixed(eventlog.Query{Text: "vm-* nothing*"})),
	{"chain", func(l *eventLog) error {
		c, err := l.log.Chain(l.ctx, eventlog.ChainQuery{CorrelationID: fmt.Sprintf("01900000-0000-7000-8000-%012x", rand.IntN(l.n/8-1)*8+8)})
		if err == nil && c.Events != 8 {
			err = fmt.Errorf("a chain has %d events", c.Events)
		}
		return err
	}},
}
