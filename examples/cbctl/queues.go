package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

// queue is a subscription.
type queue struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Filter    string `json:"filter"`
	State     string `json:"state"`
	Error     string `json:"error"`
	Depth     int    `json:"depth"`
	Lag       uint64 `json:"lag"`
	Parked    int    `json:"parked"`
	Delivered uint64 `json:"delivered"`
	Dropped   uint64 `json:"dropped"`
	Failed    uint64 `json:"failed"`
}

func (a *app) queuesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "queues", Short: "Show the subscriptions, and deal with what they have parked", Args: cobra.NoArgs}
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		body, err := a.client.Read(cmd.Context(), "/v1/queues", nil)
		if err != nil {
			return err
		}
		t := show.NewTable(a.ink, "NAME", "KIND", "STATE", "DEPTH", "LAG", "PARKED", "DELIVERED", "DROPPED", "FAILED", "FILTER", "ERROR")
		return rows(a, "/v1/queues", body, "queues", output.value, t, func(q queue) {
			t.Row(q.Name, q.Kind, show.Cell{Text: q.State, Color: q.color()}, q.Depth, q.Lag, trouble(q.Parked), q.Delivered, q.Dropped, q.Failed, q.Filter, q.Error)
		})
	}
	cmd.AddCommand(a.parkedCommand(), a.replayCommand(), a.discardCommand())
	return cmd
}

func (q queue) color() show.Color {
	switch q.State {
	case "running":
		return show.Green
	case "halted":
		return show.Red
	}
	return show.Yellow
}

// trouble is a number that had better be 0.
func trouble(n int) show.Cell {
	c := show.Cell{Text: fmt.Sprint(n)}
	if n > 0 {
		c.Color = show.Red
	}
	return c
}

// parked is a resource whose events are set aside, or one such event.
type parked struct {
	Kind     string    `json:"kind"`
	ID       string    `json:"id"`
	Events   int       `json:"events"`
	First    uint64    `json:"first"`
	Type     string    `json:"type"`
	Error    string    `json:"error"`
	Tries    int       `json:"tries"`
	ParkedAt time.Time `json:"parked_at"`

	Seq     uint64 `json:"seq"` // of an event, as what follows
	Subject string `json:"subject"`
}

func (a *app) parkedCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "parked <queue> [kind id]", Short: "Show what a durable subscription has set aside: by resource, or the events of one", Args: cobra.RangeArgs(1, 3),
	}
	events := cmd.Flags().Bool("events", false, "the events of all resources")
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path := client.Path("v1", "queues", args[0], "parked")
		if len(args) == 1 && !*events {
			t := show.NewTable(a.ink, "RESOURCE", "EVENTS", "FIRST", "TYPE", "TRIES", "SINCE", "ERROR")
			return list(a, cmd.Context(), client.Listing{Path: path, Items: "resources", Cursor: "after"}, output.value, t, func(p parked) {
				t.Row(subjectOf(p.Kind, p.ID), p.Events, p.First, p.Type, p.Tries, a.ink.Clock.Second(p.ParkedAt), show.Cell{Text: p.Error, Color: show.Red})
			})
		}
		l := client.Listing{Path: path + "/events", Items: "events", Cursor: "after", Query: map[string][]string{}}
		if len(args) > 1 {
			kind, id, err := onlyTarget(args[1:])
			if err != nil {
				return err
			}
			l.Query.Set("kind", kind)
			l.Query.Set("id", id)
		}
		t := show.NewTable(a.ink, "SEQ", "TYPE", "RESOURCE", "TRIES", "SINCE", "ERROR")
		return list(a, cmd.Context(), l, output.value, t, func(p parked) {
			t.Row(p.Seq, p.Type, p.Subject, p.Tries, a.ink.Clock.Second(p.ParkedAt), show.Cell{Text: p.Error, Color: show.Red})
		})
	}
	return cmd
}

// onlyTarget reads a resource, and nothing behind it.
func onlyTarget(args []string) (kind, id string, err error) {
	kind, id, rest, err := target(args)
	if err == nil && len(rest) > 0 {
		err = badUsage("unexpected argument %q", rest[0])
	}
	return kind, id, err
}

func (a *app) replayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "replay <queue> [kind id]", Short: "Have parked events handled again: those of a resource, or all", Args: cobra.RangeArgs(1, 3),
		Example: "  cbctl queues replay mailer vm web1\n  cbctl queues replay mailer --all",
	}
	all := cmd.Flags().Bool("all", false, "those of all resources")
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (len(args) > 1) == *all {
			return badUsage("queues replay: give a resource, or --all")
		}
		asked := map[string]string{}
		if len(args) > 1 {
			kind, id, err := onlyTarget(args[1:])
			if err != nil {
				return err
			}
			asked = map[string]string{"kind": kind, "id": id}
		}
		bar := a.newProgress("replay", nil)
		path := client.Path("v1", "queues", args[0], "replay")
		body, err := a.client.Send(cmd.Context(), http.MethodPost, path, asked)
		bar.end()
		if err != nil {
			return err
		}
		var got struct {
			Done  int    `json:"done"`
			Left  int    `json:"left"`
			Error string `json:"error"`
		}
		if err := a.decode(path, body, &got); err != nil {
			return err
		}
		if output.value == asJSON {
			err = a.out.json(body)
		} else {
			err = a.out.line("%d handled, %d still parked", got.Done, got.Left)
		}
		if err == nil && got.Error != "" {
			err = fmt.Errorf("%s", got.Error)
		}
		return err
	}
	return cmd
}

func (a *app) discardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "discard <queue> [kind id]", Short: "Remove parked events for good: some, or those of a resource", Args: cobra.RangeArgs(1, 3),
		Example: "  cbctl queues discard mailer vm web1\n  cbctl queues discard mailer --seq 17,18",
	}
	seqs := cmd.Flags().UintSlice("seq", nil, "`numbers` of events, with commas between")
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (len(args) > 1) == (len(*seqs) > 0) {
			return badUsage("queues discard: give a resource, or --seq and numbers")
		}
		asked := map[string]any{"seqs": *seqs}
		if len(args) > 1 {
			kind, id, err := onlyTarget(args[1:])
			if err != nil {
				return err
			}
			asked = map[string]any{"kind": kind, "id": id}
		}
		path := client.Path("v1", "queues", args[0], "discard")
		body, err := a.client.Send(cmd.Context(), http.MethodPost, path, asked)
		if err != nil || output.value == asJSON {
			return firstOf(err, func() error { return a.out.json(body) })
		}
		var got struct {
			Discarded int `json:"discarded"`
		}
		if err := a.decode(path, body, &got); err != nil {
			return err
		}
		return a.out.line("%d discarded", got.Discarded)
	}
	return cmd
}
