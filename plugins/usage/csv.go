package usage

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

var csvHeader = []string{"from", "to", "tenant", "kind", "meter", "resource_id", "cpus", "memory_mib", "gib", "units", "seconds", "intervals", "open", "corrections", "total"}

// WriteCSV writes the report with a header line, times as RFC 3339, an unbounded start empty; from and to are those of the row's bucket, if there are buckets. A text that a spreadsheet would take for a formula (it begins with = + - @, a tab
// or a carriage return) gets an apostrophe in front; JSON has it as it is.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	from := ""
	if !r.From.IsZero() {
		from = r.From.Format(time.RFC3339Nano)
	}
	to := r.To.Format(time.RFC3339Nano)
	for _, row := range r.Rows {
		if r.Bucket != "" {
			from, to = row.From.Format(time.RFC3339Nano), row.To.Format(time.RFC3339Nano)
		}
		err := out.Write([]string{
			from, to, inert(row.Tenant), inert(row.Kind), inert(row.Meter), inert(row.ResourceID),
			number(row.CPUs), number(row.MemoryMiB), number(row.GiB), number(row.Units), row.Seconds.String(), number(row.Intervals), number(row.Open),
			row.Corrections.String(), row.Total.String(),
		})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// inert makes a text harmless in a spreadsheet.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
