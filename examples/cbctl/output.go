package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"golang.org/x/term"
)

// output is the standard output. After its first error it writes no more, and says so at each call.
type output struct {
	*bufio.Writer
	to     io.Writer
	screen bool // it's a terminal
}

func newOutput(w io.Writer) *output { return &output{bufio.NewWriter(w), w, isTerminal(w)} }

func (o *output) flush() error { return o.Flush() }

// line writes a line.
func (o *output) line(format string, v ...any) error {
	_, err := fmt.Fprintf(o, format+"\n", v...)
	return err
}

// json writes a value that the server said on a line of its own. It is written as it came, but on a terminal with escapes for the characters that could steer that: JSON may have all
// above the first 32.
func (o *output) json(value json.RawMessage) error {
	value = bytes.TrimSpace(value)
	if o.screen {
		value = show.PlainJSON(value)
	}
	_, err := o.Write(append(value, '\n'))
	return err
}

// text writes lines that the server said, in the same way.
func (o *output) text(body []byte) error {
	if !o.screen {
		_, err := o.Write(body)
		return err
	}
	for line := range strings.Lines(string(body)) {
		if err := o.line("%s", show.PlainLine(strings.TrimRight(line, "\r\n"))); err != nil {
			return err
		}
	}
	return nil
}

// table writes a table.
func (o *output) table(t *show.Table) error {
	_, err := t.WriteTo(o)
	return err
}

// isTerminal reports whether somebody reads w on a screen.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // a file's number is small
}
