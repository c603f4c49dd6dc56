package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// The durable names of the subscribers that write to a file: one, and one that is in a mood.
const (
	notebookName      = "notebook"
	moodyNotebookName = "moody_notebook"
	notebookLanes     = 4
)

// note is an event that was written to the file.
type note struct {
	Seq      uint64
	Resource string // kind/id
	Version  uint64
	Event    string
}

// notebook writes a line for each change of a VM, at least once: the line is there before the handler returns, and so before the cursor moves.
type notebook struct {
	name   string
	lines  *lines
	mood   *mood
	inject *fault

	mu   sync.Mutex
	held *note // to be written in the wrong order, after the next one of its resource
}

func (n *notebook) subscribe(b *bus.Bus) error {
	opts := []bus.Option{bus.Durable(n.name), bus.From(0), bus.Type("vm.>"), bus.Lanes(notebookLanes)}
	if n.mood != nil {
		opts = append(opts, bus.Retry(1, 0))
	}
	_, err := bus.Subscribe(b.Client(n.name), n.write, opts...)
	return err
}

func (n *notebook) write(_ context.Context, e bus.Event[vm.Changed]) error {
	if c := e.Payload; c.Version != e.Version || c.Resource.Version != e.Version || c.ResourceID != e.ResourceID {
		return fmt.Errorf("event %d of %s version %d carries %s version %d", e.Seq, e.Subject(), e.Version, c.Resource.ID, c.Resource.Version)
	}
	if err := n.mood.check(e.Subject()); err != nil {
		return err
	}
	for _, line := range n.faulty(note{Seq: e.Seq, Resource: e.Subject(), Version: e.Version, Event: e.ID.String()}) {
		if err := n.lines.append("%d %s %d %s", line.Seq, line.Resource, line.Version, line.Event); err != nil {
			return err
		}
	}
	return nil
}

// faulty returns what is to be written now: the line itself, unless an event is to change places with the next one of its resource.
func (n *notebook) faulty(line note) []note {
	if n.inject == nil {
		return []note{line}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.held != nil && n.held.Resource == line.Resource:
		late := *n.held
		n.held = nil
		return []note{line, late}
	case n.inject.strike():
		n.held = &line
		return nil
	}
	return []note{line}
}

// readNotes reads what a life wrote for a subscription.
func readNotes(dir, subscription string, life int) (all []note, err error) {
	err = readLines(noteFile(dir, subscription, life), func(line string) error {
		var n note
		if _, err := fmt.Sscanf(line, "%d %s %d %s", &n.Seq, &n.Resource, &n.Version, &n.Event); err != nil {
			return err
		}
		all = append(all, n)
		return nil
	})
	return all, err
}
