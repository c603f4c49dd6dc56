package main

import (
	"net/http"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

func (a *app) backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "backup <name>", Short: "Copy the server's database, while it is used", Args: cobra.ExactArgs(1),
		Example: "  cbctl backup monday",
	}
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		bar := a.newProgress("backup", nil)
		body, err := a.client.Send(cmd.Context(), http.MethodPost, "/v1/backup", map[string]string{"name": args[0]})
		bar.end()
		if err != nil || output.value == asJSON {
			return firstOf(err, func() error { return a.out.json(body) })
		}
		var made struct {
			Path  string `json:"path"`
			Bytes int64  `json:"bytes"`
		}
		if err := a.decode("/v1/backup", body, &made); err != nil {
			return err
		}
		return a.out.line("%s, %d bytes", show.Plain(made.Path), made.Bytes)
	}
	return cmd
}
