package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTornLineIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines")
	l, err := createLines(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2} {
		if err := l.append("line %d", n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.file.WriteString("li"); err != nil {
		t.Fatal(err)
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := readLines(path, func(line string) error { got = append(got, line); return nil }); err != nil || !slices.Equal(got, []string{"line 1", "line 2"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestLineThatMakesNoSenseIsAnError(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(ackFile(dir, 1), []byte("vm/a 1 x\nvm/a two x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readAcks(dir, 1); err == nil {
		t.Error("no error")
	}
	if acks, err := readAcks(dir, 2); err != nil || len(acks) != 0 {
		t.Errorf("of a life that came to nothing: %v, %v", acks, err)
	}
}
