package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/user"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

const alertsPath = "/v1/alerts"

// alert says that something is, or was, wrong.
type alert struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Severity     string    `json:"severity"`
	Kind         string    `json:"kind"`
	ResourceID   string    `json:"resource_id"`
	Scope        string    `json:"scope"`
	Tenant       string    `json:"tenant"`
	Message      string    `json:"message"`
	RaisedAt     time.Time `json:"raised_at"`
	Count        int64     `json:"count"`
	ClearedAt    time.Time `json:"cleared_at"`
	Acknowledged *struct {
		By string `json:"by"`
	} `json:"acknowledged"`
}

func (a *app) alertsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "alerts", Short: "List alerts; show and acknowledge them", Args: cobra.NoArgs,
		Example: "  cbctl alerts --active\n  cbctl alerts ack 0190a1b2-… --note 'disk is ordered'",
	}
	f := filtersOf(cmd).
		text("name", "of the rule").text("kind", "of the resources").textAs("id", "resource", "of a resource").text("tenant", "whose").
		text("severity", "info, warning, critical").text("group", "`id` of the group they are members of")
	cmd.Flags().Bool("active", false, "only those that aren't cleared")
	cmd.Flags().Bool("acknowledged", false, "only those that somebody cares for; =false: only others")
	f.params["active"], f.params["acknowledged"] = "active", "acknowledged"
	limit := cmd.Flags().Int("limit", 0, "how many at most, the newest (default all)")
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		query, err := f.query(a.ink.Clock)
		if err != nil {
			return err
		}
		t := show.NewTable(a.ink, "ID", "SEVERITY", "RULE", "ABOUT", "RAISED", "TIMES", "STATUS", "MESSAGE")
		l := client.Listing{Path: alertsPath, Query: query, Items: "alerts", Cursor: "before", Most: *limit}
		return list(a, cmd.Context(), l, output.value, t, func(one alert) {
			severity := show.Cell{Text: one.Severity, Color: severityColor(one.Severity)}
			t.Row(one.ID, severity, one.Name, one.about(), a.ink.Clock.Second(one.RaisedAt), one.Count, one.status(), one.Message)
		})
	}
	cmd.AddCommand(a.alertShowCommand(), a.alertAckCommand(), a.alertRulesCommand())
	return cmd
}

func (o alert) about() string {
	about := subjectOf(o.Kind, o.ResourceID)
	if o.Scope != "" {
		about += " " + o.Scope
	}
	return strings.TrimSpace(about)
}

func (o alert) status() show.Cell {
	switch {
	case !o.ClearedAt.IsZero():
		return show.Cell{Text: "cleared", Color: show.Green}
	case o.Acknowledged != nil:
		return show.Cell{Text: o.Acknowledged.By + " cares", Color: show.Yellow}
	}
	return show.Cell{Text: "active", Color: show.Red}
}

func severityColor(severity string) show.Color {
	switch severity {
	case "critical":
		return show.Red
	case "warning":
		return show.Yellow
	}
	return show.Default
}

func (a *app) alertShowCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "show <id>", Short: "Show an alert, and what was told about it", Args: cobra.ExactArgs(1)}
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path := client.Path("v1", "alerts", args[0])
		body, err := a.client.Read(cmd.Context(), path, nil)
		if err != nil || output.value == asJSON {
			return firstOf(err, func() error { return a.out.json(body) })
		}
		return a.writeAlert(path, body)
	}
	return cmd
}

// writeAlert writes its fields, and its notices as a table.
func (a *app) writeAlert(path string, body []byte) error {
	fields, err := show.Fields(body)
	if err != nil {
		return &client.AnswerError{Server: a.client.Server(), Path: path, Reason: err.Error()}
	}
	rest := []byte{'{'}
	for _, f := range fields {
		if f.Name == "notices" {
			continue
		}
		if len(rest) > 1 {
			rest = append(rest, ',')
		}
		name, _ := json.Marshal(f.Name) // a string never fails
		rest = append(append(append(rest, name...), ':'), f.Value...)
	}
	if err := a.writeFields(path, append(rest, '}')); err != nil {
		return err
	}
	t := show.NewTable(a.ink, "WHAT", "WHEN", "TIMES", "BY", "NOTE", "MESSAGE")
	if _, err := a.out.WriteString("\n"); err != nil {
		return err
	}
	return rows(a, path, body, "notices", asText, t, func(n struct {
		What    string    `json:"what"`
		At      time.Time `json:"at"`
		Message string    `json:"message"`
		Count   int64     `json:"count"`
		By      string    `json:"by"`
		Note    string    `json:"note"`
	}) {
		t.Row(n.What, a.ink.Clock.Second(n.At), n.Count, n.By, n.Note, n.Message)
	})
}

func (a *app) alertAckCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ack <id>", Aliases: []string{"acknowledge"}, Short: "Say that somebody takes care of an alert", Args: cobra.ExactArgs(1)}
	note := cmd.Flags().String("note", "", "why it may wait")
	by := cmd.Flags().String("by", "", "`who` takes care (default --actor, or the name of this computer's user)")
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		who, err := a.whoami(*by)
		if err != nil {
			return err
		}
		path := client.Path("v1", "alerts", args[0], "acknowledge")
		body, err := a.client.Send(cmd.Context(), http.MethodPost, path, map[string]string{"by": who, "note": *note})
		if err != nil || output.value == asJSON {
			return firstOf(err, func() error { return a.out.json(body) })
		}
		return a.out.line("%s is taken care of by %s", show.Plain(args[0]), show.Plain(who))
	}
	return cmd
}

// whoami is who is named, or who runs this program.
func (a *app) whoami(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	if a.actor != "" {
		return a.actor, nil
	}
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return "", badUsage("who are you? (--actor user:42)")
	}
	return "user:" + u.Username, nil
}

func (a *app) alertRulesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "Show the rules, and how they stand", Args: cobra.NoArgs}
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path := alertsPath + "/rules"
		body, err := a.client.Read(cmd.Context(), path, nil)
		if err != nil {
			return err
		}
		t := show.NewTable(a.ink, "NAME", "TYPE", "KINDS", "SEVERITY", "ACTIVE", "ACKNOWLEDGED", "STANDS AT")
		return rows(a, path, body, "rules", output.value, t, func(r rule) {
			active := show.Cell{Text: fmt.Sprint(r.Active)}
			if r.Active > 0 {
				active.Color = show.Red
			}
			t.Row(r.Name, r.Type, strings.Join(r.Kinds, ","), show.Cell{Text: r.Severity, Color: severityColor(r.Severity)}, active, r.Acknowledged, r.stands())
		})
	}
	return cmd
}

// rule is a rule and how it stands.
type rule struct {
	Name         string   `json:"name"`
	Type         string   `json:"type"`
	Kinds        []string `json:"kinds"`
	Severity     string   `json:"severity"`
	Disabled     bool     `json:"disabled"`
	Active       int64    `json:"active"`
	Acknowledged int64    `json:"acknowledged"`
	Filling      bool     `json:"filling"`
	Capacities   []struct {
		Scope   string `json:"scope"`
		Percent int64  `json:"percent"`
	} `json:"capacities"`
	Rates []struct {
		Kind    string `json:"kind"`
		Percent int64  `json:"percent"`
	} `json:"rates"`
}

func (r rule) stands() string {
	var parts []string
	if r.Disabled {
		parts = append(parts, "disabled")
	}
	if r.Filling {
		parts = append(parts, "still reading")
	}
	for _, c := range r.Capacities {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %d %%", c.Scope, c.Percent)))
	}
	for _, rate := range r.Rates {
		parts = append(parts, fmt.Sprintf("%s %d %%", rate.Kind, rate.Percent))
	}
	return strings.Join(parts, ", ")
}
