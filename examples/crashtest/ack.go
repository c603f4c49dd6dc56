package main

import (
	"fmt"

	"github.com/cloudbus-go/cloudbus/resources"
)

// ack is a change that a caller was told is done.
type ack struct {
	Life     int
	Resource string // kind/id
	Version  uint64
	ID       string // of the event; noEvent: the caller wasn't told
}

const noEvent = "-"

// acks is where a child writes them down.
type acks struct{ lines *lines }

// add is called by the caller that was told.
func (a acks) add(c resources.Change) error {
	return a.addRow(c.Kind+"/"+c.ResourceID, c.Version, c.ID.String())
}

func (a acks) addRow(resource string, version uint64, id string) error {
	return a.lines.append("%s %d %s", resource, version, id)
}

// readAcks reads what a life wrote down.
func readAcks(dir string, life int) (all []ack, err error) {
	err = readLines(ackFile(dir, life), func(line string) error {
		a := ack{Life: life}
		if _, err := fmt.Sscanf(line, "%s %d %s", &a.Resource, &a.Version, &a.ID); err != nil {
			return err
		}
		all = append(all, a)
		return nil
	})
	return all, err
}
