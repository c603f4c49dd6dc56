package main

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

func (a *app) eventsSearchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "search [words]", Short: "Search the event log: by words in the data, by level, in what is archived", Args: cobra.MaximumNArgs(1),
		Example: "  cbctl events search 'quota exceeded' --level error\n  cbctl events search --kind vm --id web1 --archived all",
	}
	f := filtersOf(cmd).
		text("type", "`pattern` of types: vm.>, *.state.running").
		text("kind", "of resources").textAs("id", "resource", "of a resource").
		text("tenant", "whose").text("actor", "who did it").
		text("level", "`levels`, with commas between").
		text("correlation", "`id` of the request that led to it").
		time("since", "`time` from which on").time("until", "`time` before which").
		text("archived", "false, true or all").
		text("order", "newest or oldest first (default newest)")
	complete(cmd, "archived", "false", "true", "all")
	complete(cmd, "order", "newest", "oldest")
	limit := cmd.Flags().Int("limit", 100, "how many at most; 0: all")
	output := formFlag(cmd, asText, asJSON, asCloudEvents)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		query, err := f.query(a.ink.Clock)
		if err != nil {
			return err
		}
		if len(args) > 0 {
			query.Set("text", args[0])
		}
		l := client.Listing{Path: "/v1/eventlog", Query: query, Items: "events", Cursor: "after", Most: *limit}
		return a.writeEvents(cmd.Context(), l, output.value)
	}
	return cmd
}

// chain is what one thing led to; big ones come in parts.
type chain struct {
	CorrelationID string      `json:"correlation_id"`
	Roots         []chainNode `json:"roots"`
	Next          string      `json:"next"`
}

type chainNode struct {
	Event    *client.Event `json:"event"`
	Missing  string        `json:"missing"` // instead of Event: the id of a cause that isn't there
	Cycle    bool          `json:"cycle"`
	Children []chainNode   `json:"children"`
}

func (a *app) eventsChainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "chain <correlation id>", Short: "Show what one request has caused, as a tree", Args: cobra.MaximumNArgs(1),
		Example: "  cbctl events chain req-4711\n  cbctl events chain --event 0190a1b2-…",
	}
	event := cmd.Flags().String("event", "", "the `id` of any event of the chain, instead of its correlation id")
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		query := url.Values{}
		switch {
		case len(args) == 1 && *event == "":
			query.Set("correlation", args[0])
		case len(args) == 0 && *event != "":
			query.Set("event", *event)
		default:
			return badUsage("events chain: give a correlation id, or --event and the id of an event")
		}
		for part := 1; ; part++ {
			body, err := a.client.Read(cmd.Context(), "/v1/eventlog/chains", query)
			if err != nil {
				return err
			}
			next, err := a.writeChain(body, part, output.value)
			if err != nil || next == "" {
				return err
			}
			query.Set("after", next)
		}
	}
	return cmd
}

// writeChain writes a part of a chain, and returns where the next one begins.
func (a *app) writeChain(body []byte, part int, as string) (next string, err error) {
	var c chain
	if err := json.Unmarshal(body, &c); err != nil {
		return "", &client.AnswerError{Server: a.client.Server(), Path: "/v1/eventlog/chains", Reason: "is no chain: " + err.Error()}
	}
	if as == asJSON {
		return c.Next, a.out.json(body)
	}
	if part == 1 {
		if err := a.out.line("%s", a.ink.In(show.Strong, c.CorrelationID)); err != nil {
			return "", err
		}
	}
	_, err = a.out.WriteString(show.Trees(a.treesOf(c.Roots)))
	return c.Next, err
}

func (a *app) treesOf(nodes []chainNode) []show.Tree {
	trees := make([]show.Tree, len(nodes))
	for i, n := range nodes {
		switch {
		case n.Event == nil:
			trees[i].Text = a.ink.In(show.Dim, fmt.Sprintf("(event %s, which isn't here)", n.Missing))
		case n.Cycle:
			trees[i].Text = a.ink.Note(*n.Event) + a.ink.In(show.Red, "  (a cycle: its cause is below it)")
		default:
			trees[i].Text = a.ink.Note(*n.Event)
		}
		trees[i].Branches = a.treesOf(n.Children)
	}
	return trees
}
