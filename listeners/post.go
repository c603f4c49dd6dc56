package listeners

import (
	"context"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Post returns the listener that appends the event of each change to the journal, in the transaction of the change: the event exists
// if and only if the change does. The event's ID, time, actor and version are the change's.
func Post() resources.InTxListener { return post{} }

type post struct{}

func (post) Name() string { return "post" }

func (post) InTx(_ context.Context, tx resources.Tx, c resources.Change) error {
	_, err := tx.Append(c.Event(), bus.WithID(c.ID), bus.WithTime(c.Time), bus.WithActor(c.Actor), bus.WithVersion(c.Version))
	return err
}
