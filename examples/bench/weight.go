package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// few are the resources that are moved while memory is measured; all others are idle.
const few = 1000

// weight measures what a resource weighs in memory to which nothing happens: how much more memory a process of its own takes
// over a database with many of them than over one with few, after the same moves.
func (b *bench) weight(dir string) error {
	if _, err := os.Stat(statm); err != nil {
		b.say("memory of an idle resource: not measured, this system has no " + statm)
		return nil
	}
	var paths [2]string
	for i, n := range []int{few, b.idle + few} {
		b.say(fmt.Sprintf("a database of %d resources", n))
		paths[i] = filepath.Join(dir, fmt.Sprintf("idle%d.db", i))
		if err := fill(paths[i], n, n); err != nil {
			return err
		}
	}
	return b.hold(contest{name: fmt.Sprintf("memory of an idle resource, one of %d", b.idle), unit: "bytes", rounds: 1, contenders: []contender{{
		bars: []bar{limit(200)},
		run: func() ([]float64, error) {
			base, err := childMemory(paths[0])
			many, err2 := childMemory(paths[1])
			return []float64{max(many-base, 0) / float64(b.idle)}, errors.Join(err, err2)
		},
	}}})
}

// childMemory asks a process of its own.
func childMemory(path string) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	var stderr bytes.Buffer
	cmd := exec.Command(self, "-rss", path)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, stderr.String())
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// printMemory moves a few resources there and back, and prints the bytes of memory that the process has.
func printMemory(out io.Writer, path string) error {
	f, err := openFleet(path)
	if err != nil {
		return err
	}
	ids := make([]string, few)
	for i := range ids {
		ids[i] = idleID(i)
	}
	f.take(ids)
	for range powerCycle {
		for i := range ids {
			if err := f.fire(i); err != nil {
				return errors.Join(err, f.close())
			}
		}
	}
	if err := f.settle(); err != nil {
		return err
	}
	debug.FreeOSMemory()
	bytes, err := residentBytes()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, bytes)
	return errors.Join(err, f.close())
}

const statm = "/proc/self/statm"

// residentBytes is the second field of statm, in pages.
func residentBytes() (int, error) {
	data, err := os.ReadFile(statm)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0, fmt.Errorf("%s: %q", statm, data)
	}
	pages, err := strconv.Atoi(fields[1])
	return pages * os.Getpagesize(), err
}

func idleID(i int) string { return fmt.Sprintf("vm-%08d", i) }

// fill makes a database of n stopped VMs with their history, faster than by creating them.
func fill(path string, n, events int) error {
	f, err := openFleet(path)
	if err != nil {
		return err
	}
	_, err = f.vms.Create(f.ctx, newVM(idleID(0)))
	if err := errors.Join(err, f.close()); err != nil {
		return err
	}
	return copyRows(path, n, events)
}
