package listeners_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
)

type trigger = fsm.Trigger

// What an engine usually gets: Post for the news, Audit for the log.
func Example() {
	options := resources.Options{
		// Store, Bus: …
		Listeners: []resources.Listener{
			listeners.Post(),
			listeners.Audit(listeners.AuditOptions{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}),
		},
	}
	for _, l := range options.Listeners {
		fmt.Println(l.Name())
	}
	// Output:
	// post
	// audit
}

// A listener of a few lines, for one kind.
func ExampleFor() {
	quota := listeners.For(listeners.Funcs{
		ListenerName: "quota",
		OnInTx: func(_ context.Context, tx resources.Tx, c resources.Change) error {
			if c.Action == resources.Created {
				fmt.Println("count what", c.Tenant, "has, with the transaction's own eyes")
			}
			return nil
		},
	}, "vm")
	l := quota.(resources.InTxListener)
	_ = l.InTx(context.Background(), nil, resources.Change{Kind: "vm", Action: resources.Created, Tenant: "acme"})
	_ = l.InTx(context.Background(), nil, resources.Change{Kind: "nic", Action: resources.Created, Tenant: "acme"})
	// Output:
	// count what acme has, with the transaction's own eyes
}
