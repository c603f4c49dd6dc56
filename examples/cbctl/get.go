package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

// resource is what all kinds have in common.
type resource struct {
	ID         string    `json:"id"`
	Tenant     string    `json:"tenant"`
	Name       string    `json:"name"`
	State      string    `json:"state"`
	Version    uint64    `json:"version"`
	Operation  string    `json:"operation"`
	StateSince time.Time `json:"state_since"`
	RemovedAt  time.Time `json:"removed_at"`
}

func (a *app) getCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "get [kind [id]]", Short: "Show the kinds, the resources of a kind, or a resource", Args: cobra.MaximumNArgs(2),
		Example: "  cbctl get vm --state running --columns cpus,memory_mib\n  cbctl get volume --where vm_id=web1\n  cbctl get vm web1",
	}
	f := filtersOf(cmd).text("state", "`states`, with commas between").text("tenant", "whose")
	where := cmd.Flags().StringArray("where", nil, "`field=value`: only those; may be repeated")
	limit := cmd.Flags().Int("limit", 0, "how many at most (default all)")
	columns := cmd.Flags().StringSlice("columns", nil, "further `fields` to show, with commas between")
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		query, err := f.query(a.ink.Clock)
		if err != nil {
			return err
		}
		for _, pair := range *where {
			name, value, ok := strings.Cut(pair, "=")
			if !ok || name == "" || query.Has(name) {
				return badUsage("--where %q: field=value, each field once", pair)
			}
			query.Set(name, value)
		}
		if *limit < 0 {
			return badUsage("--limit %d: from 1", *limit)
		}
		one := len(args) == 2 || len(args) == 1 && strings.Contains(args[0], "/")
		switch {
		case (one || len(args) == 0) && (len(query) > 0 || *limit > 0 || len(*columns) > 0):
			return badUsage("filters, --limit and --columns are for lists: get <kind>")
		case len(args) == 0:
			return a.kinds(cmd.Context(), output.value)
		case one:
			return a.getOne(cmd.Context(), args, output.value)
		}
		l := client.Listing{Path: client.Path("v1", "resources", args[0]), Query: query, Items: "items", Cursor: "after", Most: *limit}
		return a.getMany(cmd.Context(), l, *columns, output.value)
	}
	return cmd
}

// kinds lists them.
func (a *app) kinds(ctx context.Context, as string) error {
	body, err := a.client.Read(ctx, "/v1/resources", nil)
	if err != nil || as == asJSON {
		return firstOf(err, func() error { return a.out.json(body) })
	}
	var all struct {
		Kinds []string `json:"kinds"`
	}
	if err := a.decode("/v1/resources", body, &all); err != nil {
		return err
	}
	for _, kind := range all.Kinds {
		if err := a.out.line("%s", show.Plain(kind)); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) getOne(ctx context.Context, args []string, as string) error {
	kind, id, rest, err := target(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return badUsage("unexpected argument %q", rest[0])
	}
	body, err := a.client.Read(ctx, resourcePath(kind, id), nil)
	if err != nil || as == asJSON {
		return firstOf(err, func() error { return a.out.json(body) })
	}
	return a.writeFields(resourcePath(kind, id), body)
}

// writeFields writes the members of a JSON object, a line each.
func (a *app) writeFields(path string, object []byte) error {
	fields, err := show.Fields(object)
	if err != nil {
		return &client.AnswerError{Server: a.client.Server(), Path: path, Reason: err.Error()}
	}
	width := 0
	for _, f := range fields {
		width = max(width, len([]rune(show.Plain(f.Name))))
	}
	for _, f := range fields {
		name := fmt.Sprintf("%-*s", width, show.Plain(f.Name))
		value := show.Plain(a.ink.Text(f.Value))
		if err := a.out.line("%s", strings.TrimRight(a.ink.In(show.Dim, name)+"  "+value, " ")); err != nil {
			return err
		}
	}
	return nil
}

// tableChunk is how many rows a long list aligns at once: it is shown as it comes.
const tableChunk = client.PageSize

func (a *app) getMany(ctx context.Context, l client.Listing, columns []string, as string) error {
	bar := a.newProgress("resources", a.out.to)
	defer bar.end()
	heads := append([]string{"ID", "NAME", "TENANT", "STATE", "SINCE"}, upper(columns)...)
	t, rows := show.NewTable(a.ink, heads...), 0
	for item, err := range a.client.List(ctx, l) {
		if err != nil {
			return err
		}
		bar.add(1)
		if as == asJSON {
			if err := a.out.json(item); err != nil {
				return err
			}
			continue
		}
		if err := a.addResource(t, l.Path, item, columns); err != nil {
			return err
		}
		if rows++; rows%tableChunk == 0 {
			if err := a.out.table(t); err != nil {
				return err
			}
			t = show.NewTable(a.ink, heads...)
		}
	}
	if as == asJSON || rows > 0 && rows%tableChunk == 0 {
		return nil
	}
	return a.out.table(t)
}

func (a *app) addResource(t *show.Table, path string, item json.RawMessage, columns []string) error {
	var r resource
	var all map[string]json.RawMessage
	if err := a.decode(path, item, &r); err != nil {
		return err
	}
	if err := a.decode(path, item, &all); err != nil {
		return err
	}
	cells := []any{r.ID, r.Name, r.Tenant, show.Cell{Text: r.State, Color: r.color()}, a.ink.Clock.Second(r.StateSince)}
	for _, name := range columns {
		value, there := all[name]
		if !there {
			value = json.RawMessage(`"-"`)
		}
		cells = append(cells, a.ink.Text(value))
	}
	t.Row(cells...)
	return nil
}

func (r resource) color() show.Color {
	switch {
	case !r.RemovedAt.IsZero():
		return show.Dim
	case r.State == "error":
		return show.Red
	case r.Operation != "":
		return show.Yellow
	}
	return show.Green
}

func upper(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = strings.ToUpper(n)
	}
	return all
}

// decode reads an answer.
func (a *app) decode(path string, body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return &client.AnswerError{Server: a.client.Server(), Path: path, Reason: "isn't the JSON that was expected: " + err.Error()}
	}
	return nil
}

// firstOf returns err, or what then returns.
func firstOf(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}
