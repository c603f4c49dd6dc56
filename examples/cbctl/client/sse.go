package client

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// message is a server-sent event.
type message struct {
	id    string // the last one given, so far
	event string
	data  string
}

// maxLine bounds a line of a stream, in bytes; the server's events are far below.
const maxLine = 16 << 20

var errLineTooLong = fmt.Errorf("a line of the stream is longer than %d MiB", maxLine>>20)

// messageReader reads a stream of server-sent events as the HTML standard wants it. A message that the stream breaks off in is none, and its id doesn't
// count: who took it for one would go on behind it after the next connect, and miss it.
type messageReader struct {
	lines *bufio.Scanner
	id    string
	begun bool
}

func newMessageReader(r io.Reader) *messageReader {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	lines.Split(splitLines())
	return &messageReader{lines: lines}
}

// next returns the next message that has data; io.EOF at the end of the stream.
func (r *messageReader) next() (message, error) {
	var m message
	id, data, has := r.id, []string(nil), false
	for r.lines.Scan() {
		line := r.lines.Text()
		if !r.begun {
			r.begun, line = true, strings.TrimPrefix(line, "\uFEFF")
		}
		if line == "" {
			r.id = id
			if has {
				m.id, m.data = id, strings.Join(data, "\n")
				return m, nil
			}
			m = message{}
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "data":
			data, has = append(data, value), true
		case "event":
			m.event = value
		case "id":
			if !strings.Contains(value, "\x00") {
				id = value
			}
		}
	}
	err := r.lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		err = errLineTooLong
	case err == nil:
		err = io.EOF
	}
	return message{}, err
}

// splitLines splits at \n, \r and \r\n. It doesn't wait for what follows a \r, and a line that isn't ended is none.
func splitLines() bufio.SplitFunc {
	skip := false // a \n that belongs to the \r before it
	return func(data []byte, _ bool) (advance int, line []byte, err error) {
		if skip && len(data) > 0 {
			if skip = false; data[0] == '\n' {
				advance, data = 1, data[1:]
			}
		}
		for i, c := range data {
			if c == '\n' || c == '\r' {
				skip = c == '\r'
				return advance + i + 1, data[:i:i], nil
			}
		}
		return advance, nil, nil
	}
}
