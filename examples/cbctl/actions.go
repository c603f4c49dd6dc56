package main

import (
	"time"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

// action is one that has no end yet.
type action struct {
	ID            string    `json:"id"`
	Kind          string    `json:"kind"`
	Verb          string    `json:"verb"`
	ResourceID    string    `json:"resource_id"`
	Tenant        string    `json:"tenant"`
	Actor         string    `json:"actor"`
	Reason        string    `json:"reason"`
	CorrelationID string    `json:"correlation_id"`
	ScheduledAt   time.Time `json:"scheduled_at"`
	StartedAt     time.Time `json:"started_at"`
}

func (a *app) actionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "actions", Short: "List the actions that are under way", Args: cobra.NoArgs}
	f := filtersOf(cmd).text("kind", "what is acted on").text("verb", "what is done").text("id", "of one resource").text("tenant", "whose").text("actor", "who acts")
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		query, err := f.query(a.ink.Clock)
		if err != nil {
			return err
		}
		l := client.Listing{Path: "/v1/actions", Query: query, Items: "actions", Cursor: "after"}
		t := show.NewTable(a.ink, "ACTION", "RESOURCE", "TENANT", "ACTOR", "STATUS", "SINCE", "CORRELATION")
		return list(a, cmd.Context(), l, output.value, t, func(one action) {
			status, since := show.Cell{Text: "started", Color: show.Yellow}, one.StartedAt
			if since.IsZero() {
				status, since = show.Cell{Text: "scheduled"}, one.ScheduledAt
			}
			t.Row(one.Kind+"."+one.Verb, subjectOf(one.Kind, one.ResourceID), one.Tenant, one.Actor, status, a.ink.Clock.Second(since), one.CorrelationID)
		})
	}
	return cmd
}
