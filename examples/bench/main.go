package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

func main() {
	err := start(os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// start parses the arguments, runs what they ask for, and prints the rows.
func start(args []string, out, progress io.Writer) error {
	b := &bench{progress: progress}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	only := flags.String("only", "", "run one group: bus, fsm, resources, listeners, usage, eventlog or bridge (default all)")
	asJSON := flags.Bool("json", false, "print a JSON object per row")
	check := flags.Bool("check", false, "exit with 1 if a bar is missed")
	child := flags.String("rss", "", "print this process's memory after work on that database, for the row about memory")
	flags.IntVar(&b.rounds, "rounds", 9, "rounds; figures are medians over them")
	flags.DurationVar(&b.slice, "slice", 25*time.Millisecond, "how long each contender has in a round")
	flags.IntVar(&b.resources, "resources", 100_000, "how many resources there are to be moved")
	flags.IntVar(&b.events, "events", 1_000_000, "how many events are in the journal before")
	flags.IntVar(&b.idle, "idle", 100_000, "how many idle resources memory is measured with")
	flags.IntVar(&b.intervals, "intervals", 1_000_000, "how many intervals reports are over")
	flags.IntVar(&b.logged, "logged", 1_000_000, "how many events are in the large event log")
	flags.StringVar(&b.logs, "logs", "", "make the event logs in this directory and leave them there, or use those that are")
	flags.DurationVar(&b.away, "away", time.Minute, "how long the broker is away")
	big := flags.Bool("big", false, "ten times as many resources, events and idle resources")
	flags.StringVar(&b.profile, "profile", "", "write a CPU profile of ours to this directory for each comparison")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *big {
		b.resources, b.events, b.idle, b.logged = 10*b.resources, 10*b.events, 10*b.idle, 10*b.logged
	}
	if err := b.validate(*only, flags.Args()); err != nil {
		return err
	}
	if *child != "" {
		return printMemory(out, *child)
	}
	_, _ = fmt.Fprintf(progress, "%s, %d CPUs, %d rounds of %v\n", runtime.Version(), runtime.GOMAXPROCS(0), b.rounds, b.slice)
	if err := b.run(*only); err != nil {
		return err
	}
	return b.report(out, *asJSON, *check)
}

func (b *bench) validate(only string, rest []string) error {
	known := only == ""
	for _, g := range groups {
		known = known || g.name == only
	}
	switch {
	case !known:
		return fmt.Errorf("-only %q: want bus, fsm, resources, listeners, usage, eventlog or bridge", only)
	case b.away < outageWindows*time.Second:
		return fmt.Errorf("-away must be %v or more", outageWindows*time.Second)
	case b.logged < smallLog || b.logged%smallLog != 0:
		return fmt.Errorf("-logged must be a multiple of %d", smallLog)
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case b.rounds < 1 || b.slice <= 0 || b.resources < few || b.events < 1 || b.idle < few || b.intervals < few:
		return fmt.Errorf("-rounds and -events must be 1 or more, -slice more than 0, -resources, -idle and -intervals %d or more", few)
	}
	return nil
}

func (b *bench) report(out io.Writer, asJSON, check bool) error {
	write := writeTable
	if asJSON {
		write = writeJSON
	}
	if err := write(out, b.rows); err != nil {
		return err
	}
	if missed := short(b.rows); check && len(missed) > 0 {
		return fmt.Errorf("%d of %d bars missed", len(missed), bars(b.rows))
	}
	return nil
}
