package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// lines is a file that a child appends lines to, each by one write: what it has written when it is killed stays. Only the last line of a
// killed child can be torn. Safe for concurrent use.
type lines struct{ file *os.File }

func createLines(path string) (*lines, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &lines{f}, nil
}

// append writes one line, which must contain no newline.
func (l *lines) append(format string, args ...any) error {
	_, err := l.file.Write(fmt.Appendf(nil, format+"\n", args...))
	return err
}

func (l *lines) close() error { return l.file.Close() }

// readLines calls parse for each whole line of a file. A file that isn't there has none: its child was killed before it came to that.
func readLines(path string, parse func(line string) error) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if end := bytes.LastIndexByte(text, '\n'); end+1 < len(text) { // torn
		text = text[:end+1]
	}
	scanner := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; scanner.Scan(); n++ {
		if err := parse(scanner.Text()); err != nil {
			return fmt.Errorf("%s:%d: %q: %w", path, n, scanner.Text(), err)
		}
	}
	return scanner.Err()
}
