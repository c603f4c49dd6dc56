package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// notebookName is the durable name of the subscriber that writes to a file.
const (
	notebookName  = "notebook"
	notebookLanes = 4
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
	lines  *lines
	inject *fault

	mu   sync.Mutex
	held *note // to be written in the wrong order, after the next one of its resource
}

func (n *notebook) subscribe(c *bus.Client) error {
	_, err := bus.Subscribe(c, n.write, bus.Durable(notebookName), bus.From(0), bus.Type("vm.>"), bus.Lanes(notebookLanes))
	return err
}

func (n *notebook) write(_ context.Context, e bus.Event[vm.Changed]) error {
	if c := e.Payload; c.Version != e.Version || c.Resource.Version != e.Version || c.ResourceID != e.ResourceID {
		return fmt.Errorf("event %d of %s version %d carries %s version %d", e.Seq, e.Subject(), e.Version, c.Resource.ID, c.Resource.Version)
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

// readNotes reads what a life wrote.
func readNotes(dir string, life int) (all []note, err error) {
	err = readLines(noteFile(dir, life), func(line string) error {
		var n note
		if _, err := fmt.Sscanf(line, "%d %s %d %s", &n.Seq, &n.Resource, &n.Version, &n.Event); err != nil {
			return err
		}
		all = append(all, n)
		return nil
	})
	return all, err
}
