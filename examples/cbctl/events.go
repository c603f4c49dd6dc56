package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

const eventsPath = "/v1/events"

func (a *app) eventsCommand() *cobra.Command {
	return group("events", "What has happened, and what is happening", a.eventsListCommand(), a.eventsTailCommand(), a.eventsSearchCommand(), a.eventsChainCommand())
}

// eventFilters are those that the journal and the stream have in common.
func eventFilters(cmd *cobra.Command) *filters {
	return filtersOf(cmd).
		text("type", "`pattern` of types: vm.>, *.state.running").
		text("kind", "of resources").text("id", "of one resource; with --kind").
		text("tenant", "whose").text("actor", "who did it").
		text("correlation", "`id` of the request that led to it").
		time("since", "`time` from which on")
}

func (a *app) eventsListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List events of the journal", Args: cobra.NoArgs,
		Example: "  cbctl events list --type 'vm.>' --since 2h\n  cbctl events list --newest --limit 20",
	}
	f := eventFilters(cmd).time("until", "`time` before which")
	newest := cmd.Flags().Bool("newest", false, "the newest first")
	limit := cmd.Flags().Int("limit", 0, "how many at most (default all)")
	output := formFlag(cmd, asText, asJSON, asCloudEvents)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		query, err := f.query(a.ink.Clock)
		if err != nil {
			return err
		}
		l := client.Listing{Path: eventsPath, Query: query, Items: "events", Cursor: "after", Most: *limit}
		if *newest {
			query.Set("order", "newest")
			l.Cursor = "before"
		}
		return a.writeEvents(cmd.Context(), l, output.value)
	}
	return cmd
}

// writeEvents writes all events of a listing.
func (a *app) writeEvents(ctx context.Context, l client.Listing, as string) error {
	if l.Most < 0 {
		return badUsage("--limit %d: from 1", l.Most)
	}
	bar := a.newProgress("events", a.out.to)
	defer bar.end()
	for e, err := range client.Decoded[client.Event](a.client, l, a.client.List(ctx, l)) {
		if err != nil {
			return err
		}
		bar.add(1)
		if err := a.writeEvent(e, as); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) writeEvent(e client.Event, as string) error {
	switch as {
	case asJSON:
		return a.out.json(e.Raw)
	case asCloudEvents:
		body, err := bridge.Encode(e.Recorded())
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
		return a.out.json(body)
	}
	return a.out.line("%s", a.ink.Event(e))
}

func (a *app) eventsTailCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "tail", Short: "Follow events as they come", Args: cobra.NoArgs,
		Long:    "tail shows events as they come, until Ctrl-C. A connection that is lost is made again, and goes on behind the last event.",
		Example: "  cbctl events tail --tenant acme\n  cbctl events tail --after 0 -o cloudevents",
	}
	f := eventFilters(cmd).text("after", "`number` of the event behind which to begin; 0: the oldest there is (default: the present)")
	limit := cmd.Flags().Int("limit", 0, "end after so many (default never)")
	output := formFlag(cmd, asText, asJSON, asCloudEvents)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		query, err := f.query(a.ink.Clock)
		if err != nil {
			return err
		}
		if *limit < 0 {
			return badUsage("--limit %d: from 1", *limit)
		}
		err = a.tail(a.client.Follow(cmd.Context(), query, a.tellInterruption), *limit, output.value)
		if cmd.Context().Err() != nil { // that is how a tail ends
			return nil
		}
		return err
	}
	return cmd
}

func (a *app) tail(events iter.Seq2[client.Event, error], limit int, as string) error {
	n := 0
	for e, err := range events {
		if err != nil {
			return err
		}
		if err := errors.Join(a.writeEvent(e, as), a.out.flush()); err != nil {
			return err
		}
		if n++; n == limit {
			return nil
		}
	}
	return nil
}

// tellInterruption says that a stream has lost its connection, or has it again.
func (a *app) tellInterruption(i client.Interruption) {
	after := i.After
	if after == "" {
		after = "the start"
	}
	if i.Err != nil {
		_, _ = fmt.Fprintf(a.stderr, "cbctl: %s; next try in %v\n", show.Plain(i.Err.Error()), i.Pause)
		return
	}
	_, _ = fmt.Fprintf(a.stderr, "cbctl: connected again, going on behind %s\n", show.Plain(after))
}
