package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
)

const legend = "All figures are costs, medians over the rounds. Ratios: theirs/ours where the bar is >= or missing, ours/theirs where it is <=."

// writeTable prints rows for people.
func writeTable(w io.Writer, rows []row) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "\tname\tunit\tours\ttheirs\tpeer\tratio\tbar\t")
	for _, r := range rows {
		theirs, ratio := "", ""
		if r.theirs != nil {
			theirs = figure(*r.theirs)
		}
		if x, ok := r.bar.ratio(r.ours, r.theirs); ok {
			ratio = fmt.Sprintf("%.2fx", x)
		}
		_, _ = fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.group, r.name, r.unit, figure(r.ours), theirs, r.peer, ratio, r.bar, r.verdict())
	}
	_, _ = fmt.Fprintln(tw)
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, legend)
	return err
}

// writeJSON prints one object per row and line.
func writeJSON(w io.Writer, rows []row) error {
	enc := json.NewEncoder(w)
	for _, r := range rows {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// figure writes three digits or more.
func figure(x float64) string {
	switch abs := math.Abs(x); {
	case x == 0:
		return "0"
	case abs >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case abs >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case abs >= 1:
		return strconv.FormatFloat(x, 'f', 2, 64)
	default:
		return strconv.FormatFloat(x, 'g', 2, 64)
	}
}
