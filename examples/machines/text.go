package main

import (
	"io"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// printTables prints Markdown tables, under headings if there are several.
func printTables(out io.Writer, machines []*fsm.Machine) error {
	return printEach(out, machines, func(m *fsm.Machine) string { return m.Table() }, "", "")
}

// printMermaid prints one diagram as it is, and several as a Markdown page: a file of diagrams alone can hold but one.
func printMermaid(out io.Writer, machines []*fsm.Machine) error {
	return printEach(out, machines, func(m *fsm.Machine) string { return m.Mermaid() }, "```mermaid\n", "```\n")
}

// printDOT prints graphs one after the other, as Graphviz takes them.
func printDOT(out io.Writer, machines []*fsm.Machine) error {
	for _, m := range machines {
		if _, err := io.WriteString(out, m.DOT()); err != nil {
			return err
		}
	}
	return nil
}

// printEach prints one text as it is, and several under headings, between what opens and closes each.
func printEach(out io.Writer, machines []*fsm.Machine, text func(*fsm.Machine) string, opens, closes string) error {
	if len(machines) == 1 {
		_, err := io.WriteString(out, text(machines[0]))
		return err
	}
	for i, m := range machines {
		gap := "\n"
		if i == 0 {
			gap = ""
		}
		if _, err := io.WriteString(out, gap+"## "+m.Kind()+"\n\n"+opens+text(m)+closes); err != nil {
			return err
		}
	}
	return nil
}
