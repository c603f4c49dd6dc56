package main

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

// Environment.
const (
	envServer  = "CLOUDBUS_SERVER"
	envActor   = "CLOUDBUS_ACTOR"
	envNoColor = "NO_COLOR" // https://no-color.org
)

// app is one run of the program.
type app struct {
	stdin  io.Reader
	out    *output
	stderr io.Writer

	server, actor, color string
	utc                  bool

	begun  bool // flags and arguments are in order
	client *client.Client
	ink    show.Ink
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "cbctl",
		Short:         "Show and steer a Cloudbus server",
		Long:          "cbctl shows and steers a Cloudbus server over its HTTP API.\n\nExit codes: 0 done, 1 the server said no, 2 wrong flags or arguments, 3 the server can't be reached.",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.begin(cmd) },
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.server, "server", "", "`address` of the server (default $"+envServer+", or "+client.DefaultServer+")")
	flags.StringVar(&a.actor, "actor", "", "`who` asks, as the events will say (default $"+envActor+", or what the server says)")
	flags.StringVar(&a.color, "color", "auto", "`when` to use colours: auto (on a terminal), always, never")
	flags.BoolVar(&a.utc, "utc", false, "times in UTC instead of this computer's zone")
	complete(root, "color", "auto", "always", "never")
	root.AddCommand(
		a.eventsCommand(), a.getCommand(), a.createCommand(), a.updateCommand(), a.fireCommand(), a.usageCommand(), a.alertsCommand(),
		a.machinesCommand(), a.queuesCommand(), a.actionsCommand(), a.backupCommand(),
	)
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Args = aboutCommands
		}
	}
	return root
}

// aboutCommands takes the names of a command: help about one that there isn't would be help about something else.
func aboutCommands(cmd *cobra.Command, args []string) error {
	about, rest, err := cmd.Root().Find(args)
	if err == nil && len(rest) > 0 && about.HasSubCommands() {
		err = badUsage("unknown command %q for %q", rest[0], about.CommandPath())
	}
	return err
}

// begin makes of the global flags what commands need.
func (a *app) begin(cmd *cobra.Command) (err error) {
	if a.server == "" {
		a.server = os.Getenv(envServer)
	}
	if a.actor == "" {
		a.actor = os.Getenv(envActor)
	}
	if a.client, err = client.New(client.Options{Server: a.server, Actor: a.actor, Agent: "cbctl"}); err != nil {
		return err
	}
	switch a.color {
	case "always":
		a.ink.Colors = true
	case "never":
	case "auto":
		a.ink.Colors = isTerminal(a.out.to) && os.Getenv(envNoColor) == "" && os.Getenv("TERM") != "dumb"
	default:
		return badUsage("--color %q (allowed: auto, always, never)", a.color)
	}
	if !a.utc {
		a.ink.Clock.Zone = time.Local
	}
	a.begun = cmd.Name() != "help"
	return nil
}

// Forms of an answer.
const (
	asText        = "text"
	asJSON        = "json"
	asCSV         = "csv"
	asCloudEvents = "cloudevents"
)

// form is the value of -o.
type form struct {
	value   string
	allowed []string
}

// formFlag adds -o to a command. The first form is the default.
func formFlag(cmd *cobra.Command, allowed ...string) *form {
	f := &form{value: allowed[0], allowed: allowed}
	cmd.Flags().VarP(f, "output", "o", strings.Join(allowed, ", "))
	complete(cmd, "output", allowed...)
	return f
}

func (f *form) String() string { return f.value }

// Type implements pflag.Value.
func (f *form) Type() string { return "form" }

// Set implements pflag.Value.
func (f *form) Set(s string) error {
	for _, allowed := range f.allowed {
		if s == allowed {
			f.value = s
			return nil
		}
	}
	return badUsage("allowed: %s", strings.Join(f.allowed, ", "))
}

// complete offers words for a flag to the shell.
func complete(cmd *cobra.Command, flag string, words ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag isn't there: a slip in this program, seen at its first start
	}
}

// group is a command that only has others below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(below...)
	return cmd
}
