package main

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

// reconciliation is what a comparison of the ledger has found.
type reconciliation struct {
	At          time.Time    `json:"at"`
	Kinds       []string     `json:"kinds"`
	Resources   int64        `json:"resources"`
	Intervals   int64        `json:"intervals"`
	Events      int64        `json:"events"`
	Faults      int64        `json:"faults"`
	Pending     int64        `json:"pending"`
	Differences []difference `json:"differences"`
}

type difference struct {
	Against    string          `json:"against"`
	Kind       string          `json:"kind"`
	ResourceID string          `json:"resource_id"`
	Meter      string          `json:"meter"`
	Reason     string          `json:"reason"`
	Is         json.RawMessage `json:"is"`
	Should     json.RawMessage `json:"should"`
	Seq        uint64          `json:"seq"`
	Pending    string          `json:"pending"`
}

func (a *app) reconcileCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "reconcile", Short: "Compare the ledger with the resources and the journal", Args: cobra.NoArgs,
		Long: "reconcile has the server compare its ledger with the resources there are and with the journal, and shows what differs.\n" +
			"It fails if there is a fault: a difference that won't go by itself.",
	}
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path := usagePath + "/reconcile"
		bar := a.newProgress("reconcile", nil)
		body, err := a.client.Read(cmd.Context(), path, nil)
		bar.end()
		if err != nil {
			return err
		}
		var r reconciliation
		if err := a.decode(path, body, &r); err != nil {
			return err
		}
		if r.At.IsZero() {
			return &client.AnswerError{Server: a.client.Server(), Path: path, Reason: "is no comparison of the ledger"}
		}
		if output.value == asJSON {
			err = a.out.json(body)
		} else {
			err = a.writeReconciliation(r)
		}
		if err == nil && r.Faults > 0 {
			err = errors.New("the ledger has faults: differences that won't go by themselves")
		}
		return err
	}
	return cmd
}

func (a *app) writeReconciliation(r reconciliation) error {
	err := a.out.line("%s  faults: %d, pending: %d (compared intervals: %d, resources: %d, events: %d; of %s)",
		a.ink.Clock.Second(r.At), r.Faults, r.Pending, r.Intervals, r.Resources, r.Events, show.Plain(strings.Join(r.Kinds, ", ")))
	if err != nil || len(r.Differences) == 0 {
		return err
	}
	t := show.NewTable(a.ink, "RESOURCE", "METER", "AGAINST", "SEQ", "PENDING", "REASON", "IS", "SHOULD")
	for _, d := range r.Differences {
		reason := show.Cell{Text: d.Reason, Color: show.Red}
		if d.Pending != "" {
			reason.Color = show.Yellow
		}
		t.Row(subjectOf(d.Kind, d.ResourceID), d.Meter, d.Against, d.Seq, d.Pending, reason, a.ink.Text(d.Is), a.ink.Text(d.Should))
	}
	return a.out.table(t)
}
