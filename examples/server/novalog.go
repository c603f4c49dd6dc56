package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// maxLine bounds a line of a log; a longer one is skipped.
const maxLine = 1 << 20

// instanceID is a UUID in its 36-character form, lower case.
type instanceID [36]byte

func (i instanceID) String() string { return string(i[:]) }

// report is what a line of a nova-compute log says about an instance.
type report struct {
	Instance instanceID
	At       time.Time // UTC
	What     sighting
}

// sighting is a message about an instance that stands for triggers.
type sighting uint8

const (
	vmStarted sighting = iota + 1
	vmPaused
	vmResumed
	vmStopped
	destroyed
)

// sightings are the messages, whole, as nova writes them.
var sightings = map[string]sighting{
	"VM Started (Lifecycle Event)":     vmStarted,
	"VM Paused (Lifecycle Event)":      vmPaused,
	"VM Resumed (Lifecycle Event)":     vmResumed,
	"VM Stopped (Lifecycle Event)":     vmStopped,
	"Instance destroyed successfully":  destroyed,
	"Instance destroyed successfully.": destroyed,
}

var triggersOf = map[sighting][]fsm.Trigger{
	vmStarted: {vm.ReportRunning},
	vmPaused:  {vm.ReportPaused}, // libvirt starts a guest paused while its network is plugged
	vmResumed: {vm.ReportRunning},
	vmStopped: {vm.ReportStopped},
	destroyed: {vm.ReportStopped, vm.DestroyRequested},
}

// Triggers are what the report fires, in order.
func (r report) Triggers() []fsm.Trigger { return triggersOf[r.What] }

// parseLine reads a line, without its end, of the form
//
//	[file name ]2017-05-16 00:00:04.500 2931 INFO nova.compute.manager [req-…] [instance: UUID] VM Started (Lifecycle Event)
//
// It is false for every line that carries no trigger, whatever its bytes.
func parseLine(line []byte) (report, bool) {
	at, rest, ok := cutTime(line)
	if !ok {
		if _, line, ok = bytes.Cut(line, space); ok { // the name of the file that the line was collected from
			at, rest, ok = cutTime(line)
		}
	}
	if !ok || !cutPreamble(&rest) {
		return report{}, false
	}
	if !bytes.HasPrefix(rest, instanceMark) { // behind the request's context
		_, rest, _ = bytes.Cut(rest, []byte("] "))
	}
	rest, ok = bytes.CutPrefix(rest, instanceMark)
	id, message, closed := bytes.Cut(rest, []byte("] "))
	if !ok || !closed {
		return report{}, false
	}
	r := report{At: at, What: sightings[string(bytes.TrimRight(message, " \t\r"))]}
	r.Instance, ok = parseInstance(id)
	return r, ok && r.What != 0
}

var (
	space        = []byte(" ")
	instanceMark = []byte("[instance: ")
)

const logTime = "2006-01-02 15:04:05" // a fraction of any length may follow

// cutTime takes date and time, which are UTC, off the front of a line.
func cutTime(line []byte) (at time.Time, rest []byte, ok bool) {
	end := 0
	for range 2 {
		n := bytes.IndexByte(line[end:], ' ')
		if n < 0 {
			return at, nil, false
		}
		end += n + 1
	}
	if end-1 < len(logTime) || end > 40 {
		return at, nil, false
	}
	at, err := time.Parse(logTime, string(line[:end-1]))
	if err != nil || at.Year() < 1970 || at.Year() > 2200 { // what Unix nanoseconds can hold, with room
		return at, nil, false
	}
	return at, line[end:], true
}

// cutPreamble takes process id, level and logger off the front of what follows the time, and reports whether nova wrote it.
func cutPreamble(rest *[]byte) bool {
	pid, after, ok := bytes.Cut(*rest, space)
	if !ok || len(pid) == 0 || len(bytes.Trim(pid, "0123456789")) > 0 {
		return false
	}
	level, after, ok := bytes.Cut(after, space)
	if !ok || len(level) == 0 || len(bytes.Trim(level, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) > 0 {
		return false
	}
	logger, after, ok := bytes.Cut(after, space)
	*rest = after
	return ok && (string(logger) == "nova" || bytes.HasPrefix(logger, []byte("nova.")))
}

func parseInstance(b []byte) (id instanceID, ok bool) {
	if len(b) != len(id) {
		return id, false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'F' {
			c += 'a' - 'A'
		}
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		if hyphen != (c == '-') || !hyphen && !hex {
			return id, false
		}
		id[i] = c
	}
	return id, true
}

// lineReader reads lines of any length, but holds only one of at most maxLine bytes.
type lineReader struct{ r *bufio.Reader }

func newLineReader(r io.Reader) *lineReader { return &lineReader{bufio.NewReaderSize(r, maxLine)} }

// next returns the next line without its end, valid until the call after it, and how many bytes of the input it took.
// A line that is too long is returned as nil. The error is io.EOF at the end, else the reader's.
func (l *lineReader) next() (line []byte, size int, err error) {
	line, err = l.r.ReadSlice('\n')
	size = len(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		var more []byte
		more, err = l.r.ReadSlice('\n')
		line, size = nil, size+len(more)
	}
	if errors.Is(err, io.EOF) && size > 0 {
		err = nil // the last line, without an end
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), size, err
}
