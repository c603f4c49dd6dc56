package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources/all"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit code: 2 for a command line that means nothing, 1 if out can't be written to.
func run(args []string, out, errOut io.Writer) int {
	machines, print, err := parseFlags(args, errOut)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	if err := print(out, machines); err != nil {
		_, _ = fmt.Fprintln(errOut, "machines:", err)
		return 1
	}
	return 0
}

// formats are how machines are printed, in the order in which they are listed.
var formats = []struct {
	name  string
	print func(io.Writer, []*fsm.Machine) error
}{
	{"table", printTables},
	{"mermaid", printMermaid},
	{"dot", printDOT},
	{"svg", printSVG},
	{"csv", printCSV},
	{"states", printStates},
}

// parseFlags reads args. On an error it has told errOut; flag.ErrHelp says that the usage was asked for.
func parseFlags(args []string, errOut io.Writer) ([]*fsm.Machine, func(io.Writer, []*fsm.Machine) error, error) {
	fs := flag.NewFlagSet("machines", flag.ContinueOnError)
	fs.SetOutput(errOut)
	kind := fs.String("kind", "", "print the machine of this `kind` only (default: of all kinds)")
	format := fs.String("format", "table", "print as `format`: "+strings.Join(formatNames(), ", "))
	if err := fs.Parse(args); err != nil {
		return nil, nil, err
	}
	machines, err := choose(*kind, flagGiven(fs, "kind"))
	i := slices.Index(formatNames(), *format)
	switch {
	case fs.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q (allowed: -kind and -format)", fs.Arg(0))
	case err == nil && i < 0:
		err = fmt.Errorf("-format: there is no format %q (allowed: %s)", *format, strings.Join(formatNames(), ", "))
	}
	if err != nil {
		_, _ = fmt.Fprintln(errOut, "machines:", err)
		return nil, nil, err
	}
	return machines, formats[i].print, nil
}

func flagGiven(fs *flag.FlagSet, name string) (given bool) {
	fs.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// choose returns the machine of a kind, or all.
func choose(kind string, one bool) ([]*fsm.Machine, error) {
	machines := all.Machines()
	if !one {
		return machines, nil
	}
	names := make([]string, len(machines))
	for i, m := range machines {
		if names[i] = m.Kind(); names[i] == kind {
			return machines[i : i+1], nil
		}
	}
	return nil, fmt.Errorf("-kind: there is no kind %q (allowed: %s)", kind, strings.Join(names, ", "))
}

func formatNames() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}
