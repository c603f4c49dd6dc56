package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
)

// result is what a replay prints: what is in the database and in the broker's stream after it, and how the file's own lines
// came out. A second replay of the same file prints the same.
type result struct {
	Resources map[string]map[fsm.State]int64 `json:"resources"` // by kind and state
	Events    counts                         `json:"events"`    // of resources
	Unchanged int                            `json:"unchanged"`
	Skipped   int                            `json:"skipped_lines"`
	Refused   int                            `json:"refused,omitempty"`
	Usage     map[string]total               `json:"usage"`     // by meter
	Published uint64                         `json:"published"` // events of resources in the stream
}

// total sums up the closed intervals of a meter, and counts those that are open. What has been used of an open one depends on
// when one asks, so it isn't in Seconds.
type total struct {
	Seconds usage.Amount `json:"seconds"`
	Open    int          `json:"open"`
}

func (s *server) result(ctx context.Context, t tally) (*result, error) {
	r := &result{Resources: make(map[string]map[fsm.State]int64), Unchanged: t.Unchanged, Skipped: t.Skipped, Refused: t.Refused}
	var err error
	for _, kind := range s.engine.Kinds() {
		if err := s.countKind(ctx, kind, r); err != nil {
			return nil, err
		}
	}
	if r.Events, err = s.countEvents(ctx); err != nil {
		return nil, err
	}
	r.Usage, err = s.sumUsage(ctx)
	return r, err
}

// countKind counts the resources of a kind, and its events in the stream.
func (s *server) countKind(ctx context.Context, kind string, r *result) error {
	handle, err := s.engine.Kind(kind)
	if err != nil {
		return err
	}
	states, err := handle.CountStates(ctx)
	if err != nil {
		return err
	}
	if len(states) > 0 {
		r.Resources[kind] = states
	}
	subject, err := bridge.SubjectPattern(kind + ".>")
	if err != nil {
		return err
	}
	n, err := s.sink.Published(ctx, subject)
	if err != nil {
		return fmt.Errorf("read back what was published: %w", err)
	}
	r.Published += n
	return nil
}

// countEvents counts the events of resources by type.
func (s *server) countEvents(ctx context.Context) (counts, error) {
	var found counts
	err := s.journal.DB().WithContext(ctx).
		Raw("SELECT type AS name, COUNT(*) AS n FROM journal WHERE kind IN ? GROUP BY type ORDER BY MIN(seq)", s.engine.Kinds()).
		Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	ofResources := counts{}
	for _, c := range found {
		kind, _, _ := strings.Cut(c.Name, ".")
		if _, err := s.engine.Kind(kind); err == nil { // others, such as usage.vm.running.opened, are about resources
			ofResources = append(ofResources, c)
		}
	}
	return ofResources, nil
}

// sumUsage adds up what the usage plugin has reported.
func (s *server) sumUsage(ctx context.Context) (map[string]total, error) {
	totals := make(map[string]total)
	q := journal.Query{Type: "usage.>", Limit: maxPage}
	for more := true; more; {
		page, err := s.journal.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, rec := range page {
			var m usage.Metered
			if err := json.Unmarshal(rec.Data, &m); err != nil {
				return nil, fmt.Errorf("event %d: %w", rec.Seq, err)
			}
			t := totals[m.Meter]
			switch m.What { // a correction is neither
			case usage.Closed:
				t.Seconds = t.Seconds.Add(usage.AmountOf(m.EndedAt.Sub(m.StartedAt)))
				t.Open--
			case usage.Opened:
				t.Open++
			}
			totals[m.Meter] = t
			q.After = rec.Seq
		}
		more = len(page) == q.Limit
	}
	return totals, nil
}

// count is how many there are of something.
type count struct {
	Name string
	N    int64
}

// counts are a JSON object whose order is kept.
type counts []count

// MarshalJSON writes {"name":n,…}.
func (c counts) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range c {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(one.Name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.WriteString(strconv.FormatInt(one.N, 10))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
