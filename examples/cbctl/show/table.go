package show

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Cell is a text in a table.
type Cell struct {
	Text  string
	Color Color // Defaults to none.
}

// Table collects rows and writes them with their columns aligned.
type Table struct {
	ink     Ink
	columns []string
	rows    [][]Cell
}

// NewTable returns a table with these headings.
func NewTable(ink Ink, columns ...string) *Table { return &Table{ink: ink, columns: columns} }

// Row adds a row: strings, Cells, and what fmt can write.
func (t *Table) Row(cells ...any) {
	row := make([]Cell, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case Cell:
			row[i] = c
		case string:
			row[i] = Cell{Text: c}
		default:
			row[i] = Cell{Text: fmt.Sprint(c)}
		}
	}
	t.rows = append(t.rows, row)
}

// WriteTo writes the table.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	out := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(texts []string) { _, _ = fmt.Fprintln(out, strings.Join(texts, "\t")) } // into memory
	head := make([]string, len(t.columns))
	for i, name := range t.columns {
		head[i] = t.ink.In(Strong, name)
	}
	line(head)
	for _, row := range t.rows {
		texts := make([]string, len(row))
		for i, c := range row {
			if c.Color == "" {
				c.Color = Default
			}
			texts[i] = t.ink.In(c.Color, c.Text)
		}
		line(texts)
	}
	_ = out.Flush()
	return trimmed(&b).WriteTo(w)
}

// trimmed takes blanks from the ends of lines.
func trimmed(b *bytes.Buffer) *bytes.Buffer {
	var out bytes.Buffer
	for line := range bytes.Lines(b.Bytes()) {
		out.Write(bytes.TrimRight(line, " \n"))
		out.WriteByte('\n')
	}
	return &out
}
