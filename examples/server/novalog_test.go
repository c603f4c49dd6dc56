package main

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

const (
	someID   = "b9000564-fe1a-409b-b8cc-1e88b294cd1d"
	preamble = "2931 INFO nova.compute.manager [req-3ea4052c - - - - -] "
)

func TestParseLine(t *testing.T) {
	at := time.Date(2017, 5, 16, 0, 0, 4, 500_000_000, time.UTC)
	stamp := "2017-05-16 00:00:04.500 "
	inst := "[instance: " + someID + "] "
	tests := []struct {
		name string
		line string
		want sighting // 0: carries no trigger
	}{
		{"started", stamp + preamble + inst + "VM Started (Lifecycle Event)", vmStarted},
		{"behind a file name", "nova-compute.log.1.2017-05-16_13:55:31 " + stamp + preamble + inst + "VM Started (Lifecycle Event)", vmStarted},
		{"paused", stamp + preamble + inst + "VM Paused (Lifecycle Event)", vmPaused},
		{"resumed", stamp + preamble + inst + "VM Resumed (Lifecycle Event)", vmResumed},
		{"stopped, without a request", stamp + "2931 INFO nova.compute.manager [-] " + inst + "VM Stopped (Lifecycle Event)", vmStopped},
		{"destroyed", stamp + "2931 INFO nova.virt.libvirt.driver [-] " + inst + "Instance destroyed successfully.", destroyed},
		{"upper case", stamp + preamble + strings.ToUpper("[instance: "+someID[:8]) + someID[8:] + "] VM Started (Lifecycle Event)", 0},
		{"upper case id", stamp + preamble + "[instance: " + strings.ToUpper(someID) + "] VM Started (Lifecycle Event)", vmStarted},
		{"trailing blanks", stamp + preamble + inst + "VM Started (Lifecycle Event) \t\r", vmStarted},
		{"another level", stamp + "1 WARNING nova.compute.manager [-] " + inst + "VM Stopped (Lifecycle Event)", vmStopped},
		{"no context", stamp + "2931 INFO nova.compute.manager " + inst + "VM Started (Lifecycle Event)", vmStarted},

		{"empty", "", 0},
		{"blank", "  ", 0},
		{"garbage", "\x00\xff\xfe \x80\x81 \x00 \x00", 0},
		{"only a time", "2017-05-16 00:00:04.500", 0},
		{"no time", preamble + inst + "VM Started (Lifecycle Event)", 0},
		{"no such day", "2017-02-30 00:00:04.500 " + preamble + inst + "VM Started (Lifecycle Event)", 0},
		{"no such hour", "2017-05-16 24:00:04.500 " + preamble + inst + "VM Started (Lifecycle Event)", 0},
		{"before time began", "0001-05-16 00:00:04.500 " + preamble + inst + "VM Started (Lifecycle Event)", 0},
		{"no process id", stamp + "INFO nova.compute.manager [-] " + inst + "VM Started (Lifecycle Event)", 0},
		{"another program", stamp + "2931 INFO neutron.agent [-] " + inst + "VM Started (Lifecycle Event)", 0},
		{"another message", stamp + preamble + inst + "Terminating instance", 0},
		{"the message quoted", stamp + preamble + inst + `saw "VM Started (Lifecycle Event)"`, 0},
		{"the message behind another", stamp + preamble + "Deleting [instance: x] " + inst + "VM Started (Lifecycle Event)", 0},
		{"no instance", stamp + preamble + "VM Started (Lifecycle Event)", 0},
		{"a name for an instance", stamp + preamble + "[instance: web-1] VM Started (Lifecycle Event)", 0},
		{"not hexadecimal", stamp + preamble + "[instance: g9000564-fe1a-409b-b8cc-1e88b294cd1d] VM Started (Lifecycle Event)", 0},
		{"hyphens elsewhere", stamp + preamble + "[instance: b9000564fe1a-409b-b8cc--1e88b294cd1d] VM Started (Lifecycle Event)", 0},
		{"unclosed", stamp + preamble + "[instance: " + someID, 0},
		{"cut short", stamp + preamble + inst + "VM Started (Lifecycle", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := parseLine([]byte(tt.line))
			if ok != (tt.want != 0) {
				t.Fatalf("parseLine = %+v, %v", r, ok)
			}
			if ok && (r.What != tt.want || !r.At.Equal(at) || r.Instance.String() != someID) {
				t.Errorf("parseLine = %v %v %v, want %v %v %v", r.What, r.At, r.Instance, tt.want, at, someID)
			}
		})
	}
}

func TestTriggersOfASighting(t *testing.T) {
	for what, want := range map[sighting][]fsm.Trigger{
		vmStarted: {vm.ReportRunning},
		vmResumed: {vm.ReportRunning},
		vmPaused:  {vm.ReportPaused},
		vmStopped: {vm.ReportStopped},
		destroyed: {vm.ReportStopped, vm.DestroyRequested},
	} {
		if got := (report{What: what}).Triggers(); !slices.Equal(got, want) {
			t.Errorf("%v fires %v, want %v", what, got, want)
		}
	}
}

func TestLineReader(t *testing.T) {
	long := strings.Repeat("x", maxLine+1)
	tests := []struct {
		name, in string
		want     []string
	}{
		{"empty", "", nil},
		{"two lines", "a\nb\n", []string{"a", "b"}},
		{"no final newline", "a\nb", []string{"a", "b"}},
		{"CRLF", "a\r\nb\r\n", []string{"a", "b"}},
		{"blank lines", "\n\n", []string{"", ""}},
		{"a line as long as may be", long[:maxLine-1] + "\nb\n", []string{long[:maxLine-1], "b"}},
		{"too long", long + "\nb\n", []string{"", "b"}},
		{"far too long, unended", "a\n" + long + long + long, []string{"a", ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines, total := newLineReader(strings.NewReader(tt.in)), 0
			for i := 0; ; i++ {
				line, n, err := lines.next()
				total += n
				if errors.Is(err, io.EOF) {
					if i != len(tt.want) || total != len(tt.in) {
						t.Errorf("%d lines and %d bytes, want %d and %d", i, total, len(tt.want), len(tt.in))
					}
					return
				}
				if err != nil || i >= len(tt.want) || string(line) != tt.want[i] {
					t.Fatalf("line %d: %.40q, %v", i, line, err)
				}
			}
		})
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte("nova-compute.log 2017-05-16 00:00:04.500 2931 INFO nova.compute.manager [-] [instance: " + someID + "] VM Started (Lifecycle Event)"))
	f.Add([]byte("2017-05-16 00:00:04.500 2931 INFO nova [-] [instance: " + someID + "] Instance destroyed successfully."))
	f.Add([]byte("\x00 \xff"))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, ok := parseLine(line)
		if !ok {
			return
		}
		again := r.At.Format("2006-01-02 15:04:05.000000000") + " 1 INFO nova [-] [instance: " + r.Instance.String() + "] " + phrase(r.What)
		if back, ok := parseLine([]byte(again)); !ok || back != r {
			t.Errorf("%q reads as %+v, which writes as %q and reads as %+v", line, r, again, back)
		}
		if !bytes.Contains(bytes.ToLower(line), []byte(r.Instance.String())) || len(r.Triggers()) == 0 {
			t.Errorf("%q reads as %+v", line, r)
		}
	})
}

func phrase(what sighting) string {
	for text, s := range sightings {
		if s == what {
			return text
		}
	}
	return ""
}
