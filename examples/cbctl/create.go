package main

import (
	"net/http"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

const fileUsage = "`file` with a JSON object; -: standard input"

// actionFlag adds --action to a command that changes a resource.
func actionFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("action", "", "record it as an action of this `verb`, from its beginning to its end: start")
}

func (a *app) createCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create <kind> [field=value…]", Short: "Create a resource", Args: cobra.MinimumNArgs(1),
		Long:    "create makes a resource of a JSON file, of field=value pairs, or both. A value that is JSON is taken as such (cpus=2); others are strings.",
		Example: "  cbctl create vm id=web1 cpus=2 memory_mib=2048\n  cbctl create volume -f volume.json id=data2",
	}
	file := cmd.Flags().StringP("file", "f", "", fileUsage)
	action := actionFlag(cmd)
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		object, err := a.values(*file, args[1:])
		if err != nil {
			return err
		}
		path := client.Path("v1", "resources", args[0])
		body, err := a.client.Act(cmd.Context(), *action, http.MethodPost, path, object)
		if err != nil || output.value == asJSON {
			return firstOf(err, func() error { return a.out.json(body) })
		}
		var r resource
		if err := a.decode(path, body, &r); err != nil {
			return err
		}
		return a.out.line("%s/%s created, %s", show.Plain(args[0]), show.Plain(r.ID), a.ink.In(r.color(), r.State))
	}
	return cmd
}

func (a *app) updateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "update <kind> <id> [field=value…]", Short: "Change fields of a resource", Args: cobra.MinimumNArgs(1),
		Example: "  cbctl update vm web1 name=www cpus=4",
	}
	file := cmd.Flags().StringP("file", "f", "", fileUsage)
	action := actionFlag(cmd)
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		kind, id, pairs, err := target(args)
		if err != nil {
			return err
		}
		if *file == "" && len(pairs) == 0 {
			return badUsage("update: what is to change? (field=value, or -f file)")
		}
		object, err := a.values(*file, pairs)
		if err != nil {
			return err
		}
		body, err := a.client.Act(cmd.Context(), *action, http.MethodPatch, resourcePath(kind, id), object)
		if err != nil || output.value == asJSON {
			return firstOf(err, func() error { return a.out.json(body) })
		}
		c, err := a.changeOf(resourcePath(kind, id), body)
		if err != nil {
			return err
		}
		return a.writeChange(c)
	}
	return cmd
}
