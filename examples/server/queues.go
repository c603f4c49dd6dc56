package main

import (
	"net/http"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// queuesView is the body of /v1/queues.
type queuesView struct {
	Clients      []string    `json:"clients"`
	JournalLast  uint64      `json:"journal_last"`  // the newest event
	JournalShown uint64      `json:"journal_shown"` // live subscriptions have been offered everything up to here
	JournalError string      `json:"journal_error,omitempty"`
	Queues       []queueView `json:"queues"`
}

// queueView is one subscription.
type queueView struct {
	Name       string  `json:"name"`
	Client     string  `json:"client"`
	Site       string  `json:"site"` // where in the source it was made
	Payload    string  `json:"payload"`
	Filter     string  `json:"filter,omitempty"`
	Kind       string  `json:"kind"` // live, from, durable, batch
	State      string  `json:"state"`
	Error      string  `json:"error,omitempty"`
	Depth      int     `json:"depth"`
	Capacity   int     `json:"capacity,omitempty"`
	Oldest     float64 `json:"oldest_seconds"`  // how long the first event has waited
	Running    float64 `json:"running_seconds"` // how long a handler has been at work; 0: none is
	Position   uint64  `json:"position,omitempty"`
	Lag        uint64  `json:"lag"`
	Parked     int     `json:"parked"` // resources whose events are set aside
	Delivered  uint64  `json:"delivered"`
	Dropped    uint64  `json:"dropped"`
	Coalesced  uint64  `json:"coalesced"`
	Failed     uint64  `json:"failed"`
	Retried    uint64  `json:"retried"`
	Slowest    float64 `json:"slowest_seconds"`
	SlowestFor string  `json:"slowest_for,omitempty"`
}

// listQueues shows what every subscription of the bus is doing.
func (a *api) listQueues(w http.ResponseWriter, r *http.Request) error {
	if p := readParams(r.URL); p.err != nil {
		return p.err
	}
	i := a.bus.Inspect()
	v := queuesView{
		Clients: i.Clients, JournalLast: i.JournalLast, JournalShown: i.JournalShown, JournalError: textOf(i.JournalErr),
		Queues: make([]queueView, len(i.Subscriptions)),
	}
	for n, s := range i.Subscriptions {
		v.Queues[n] = viewOfQueue(s)
	}
	plugins.Respond(w, http.StatusOK, v)
	return nil
}

func viewOfQueue(s bus.Info) queueView {
	return queueView{
		Name: s.Name, Client: s.Client, Site: s.Site, Payload: s.Payload, Filter: s.Filter, Kind: s.Kind, State: s.State,
		Error: textOf(s.Err), Depth: s.Depth, Capacity: s.Capacity, Oldest: s.OldestFor.Seconds(), Running: s.RunningFor.Seconds(),
		Position: s.Position, Lag: s.Lag, Parked: s.Parked, Delivered: s.Delivered, Dropped: s.Dropped, Coalesced: s.Coalesced,
		Failed: s.Failed, Retried: s.Retried, Slowest: s.Slowest.Seconds(), SlowestFor: s.SlowestFor,
	}
}

// textOf is what an error says, "" if there is none.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
