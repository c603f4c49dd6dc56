package listeners

import (
	"context"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Post returns the listener that appends the event of each change to the journal, in the transaction of the change: the event exists
// if and only if the change does. The event's ID is the change's; time, actor and version are those of all that a change appends.
func Post() resources.InTxListener { return post{} }

type post struct{}

func (post) Name() string { return "post" }

func (post) InTx(_ context.Context, tx resources.Tx, c resources.Change) error {
	_, err := tx.Append(c.Event(), bus.WithID(c.ID))
	return err
}
