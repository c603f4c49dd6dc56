package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

const usagePath = "/v1/usage"

func (a *app) usageCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "usage", Short: "Report what was used; correct and check it", Args: cobra.NoArgs,
		Example: "  cbctl usage --from 2026-11-01 --to 2026-12-01 --by tenant,meter\n" +
			"  cbctl usage --from 2026-11-01 --to 2026-12-01 --bucket day --tz Europe/Berlin -o csv",
	}
	f := filtersOf(cmd).
		time("from", "`time` from which on").time("to", "`time` before which").
		text("tenant", "whose").text("kind", "of resources").text("meter", "such as vm.running").textAs("id", "resource", "of a resource").
		text("by", "a row for each: tenant, kind, meter, resource, size, with commas between").
		text("bucket", "rows for each hour, day or month; with --from and --to").
		text("tz", "`zone` whose days and months are meant: Europe/Berlin; with --bucket")
	complete(cmd, "bucket", "hour", "day", "month")
	output := formFlag(cmd, asText, asJSON, asCSV)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		query, err := f.query(a.ink.Clock)
		if err != nil {
			return err
		}
		if output.value == asCSV {
			query.Set("format", asCSV)
		}
		bar := a.newProgress("report", nil)
		body, err := a.client.Read(cmd.Context(), usagePath, query)
		bar.end()
		switch {
		case err != nil:
			return err
		case output.value == asCSV:
			return a.out.text(body)
		case output.value == asJSON:
			return a.out.json(body)
		}
		return a.writeUsage(body)
	}
	cmd.AddCommand(a.correctionsCommand(), a.correctCommand(), a.reconcileCommand())
	return cmd
}

// columns of a report in their order; those that no row has are left out.
var usageColumns = []string{
	"from", "to", "tenant", "kind", "meter", "resource_id", "cpus", "memory_mib", "gib", "units", "seconds", "corrections", "total", "intervals", "open",
}

// writeUsage writes a report as a table. Numbers stay as the server says them.
func (a *app) writeUsage(body []byte) error {
	var report struct {
		From time.Time                    `json:"from"`
		To   time.Time                    `json:"to"`
		Rows []map[string]json.RawMessage `json:"rows"`
	}
	if err := a.decode(usagePath, body, &report); err != nil {
		return err
	}
	from := "the beginning"
	if !report.From.IsZero() {
		from = a.ink.Clock.Second(report.From)
	}
	if err := a.out.line("%s", a.ink.In(show.Dim, from+" to "+a.ink.Clock.Second(report.To))); err != nil {
		return err
	}
	used := slices.DeleteFunc(slices.Clone(usageColumns), func(name string) bool {
		return !slices.ContainsFunc(report.Rows, func(row map[string]json.RawMessage) bool { return row[name] != nil })
	})
	if len(used) == 0 {
		return a.out.line("nothing was used")
	}
	t := show.NewTable(a.ink, upper(used)...)
	for _, row := range report.Rows {
		cells := make([]any, len(used))
		for i, name := range used {
			cells[i] = a.ink.Text(row[name])
		}
		t.Row(cells...)
	}
	return a.out.table(t)
}

// correction is an entry of the ledger that says what was metered wrongly.
type correction struct {
	ID         string          `json:"id"`
	Tenant     string          `json:"tenant"`
	Meter      string          `json:"meter"`
	ResourceID string          `json:"resource_id"`
	Seconds    json.RawMessage `json:"seconds"`
	At         time.Time       `json:"at"`
	From       time.Time       `json:"from"`
	Reason     string          `json:"reason"`
	Actor      string          `json:"actor"`
	Reverses   string          `json:"reverses"`
}

func (a *app) correctionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "corrections", Short: "List corrections of what was metered", Args: cobra.NoArgs}
	f := filtersOf(cmd).
		text("tenant", "whose").text("kind", "of resources").text("meter", "such as vm.running").textAs("id", "resource", "of a resource").
		text("key", "with which it was entered").time("from", "`time` from which on").time("to", "`time` before which")
	limit := cmd.Flags().Int("limit", 0, "how many at most (default all)")
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		query, err := f.query(a.ink.Clock)
		if err != nil {
			return err
		}
		t := show.NewTable(a.ink, "ID", "TENANT", "METER", "RESOURCE", "SECONDS", "FROM", "BY", "REASON")
		l := client.Listing{Path: usagePath + "/corrections", Query: query, Items: "corrections", Cursor: "after", Most: *limit}
		return list(a, cmd.Context(), l, output.value, t, func(c correction) {
			from := c.From
			if from.IsZero() {
				from = c.At
			}
			t.Row(c.ID, c.Tenant, c.Meter, c.ResourceID, string(c.Seconds), a.ink.Clock.Second(from), c.Actor, c.Reason)
		})
	}
	return cmd
}

func (a *app) correctCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "correct [field=value…]", Short: "Enter a correction beside what was metered",
		Long: "correct enters a correction: key (two calls with the same one make one entry), meter, seconds (below 0 takes away), from and to or at, tenant, resource_id, reason;\n" +
			"or reverses=<id>, key and reason. The actor is --actor, or the name of this computer's user.",
		Example: "  cbctl usage correct key=ticket-17 meter=vm.running tenant=acme seconds=-3600 at=2026-11-20T10:00:00Z reason='outage of zone 2'",
	}
	file := cmd.Flags().StringP("file", "f", "", fileUsage)
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *file == "" && len(args) == 0 {
			return badUsage("usage correct: what is to be corrected? (field=value, or -f file)")
		}
		object, err := a.values(*file, args)
		if err != nil {
			return err
		}
		if _, named := object["actor"]; !named {
			who, err := a.whoami("")
			if err != nil {
				return err
			}
			object["actor"] = jsonOf(who)
		}
		body, err := a.client.Send(cmd.Context(), http.MethodPost, usagePath+"/corrections", object)
		if err != nil || output.value == asJSON {
			return firstOf(err, func() error { return a.out.json(body) })
		}
		var c correction
		if err := a.decode(usagePath+"/corrections", body, &c); err != nil {
			return err
		}
		return a.out.line("%s entered: %s s of %s", show.Plain(c.ID), string(c.Seconds), show.Plain(c.Meter))
	}
	return cmd
}
