package main

import (
	"net/url"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/spf13/cobra"
)

// machine is a lifecycle, as far as it is looked at here.
type machine struct {
	States []struct {
		Name  string `json:"name"`
		Class string `json:"class"` // steady, transitional, final
	} `json:"states"`
}

var asMachine = url.Values{"format": {asJSON}}

func machinePath(kind string) string { return client.Path("v1", "machines", kind) }

func (a *app) machinesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "machines [kind]", Short: "List the kinds, or draw the lifecycle of one", Args: cobra.MaximumNArgs(1),
		Example: "  cbctl machines vm\n  cbctl machines vm -o mermaid --state running",
	}
	// The server knows its formats, and says so.
	format := cmd.Flags().StringP("output", "o", "table", "a `format` of the server's: table, mermaid, dot, json")
	state := cmd.Flags().String("state", "", "`state` to mark")
	complete(cmd, "output", "table", "mermaid", "dot", asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			if *state != "" {
				return badUsage("--state is of one kind: machines <kind>")
			}
			as := asText
			if *format == asJSON {
				as = asJSON
			}
			return a.kinds(cmd.Context(), as)
		}
		query := url.Values{"format": {*format}}
		if *state != "" {
			query.Set("state", *state)
		}
		body, err := a.client.Read(cmd.Context(), machinePath(args[0]), query)
		if err != nil {
			return err
		}
		return a.out.text(body)
	}
	return cmd
}
