package bustest

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Want fails the test unless events that match passed in this order, others between them allowed. It returns the events that matched.
func (r *Recorder[T]) Want(want ...Matcher[T]) []bus.Event[T] {
	r.t.Helper()
	line := r.settled()
	var matched []bus.Event[T]
	for i, e := range line.events {
		if len(matched) < len(want) && want[len(matched)].Match(e) {
			matched = append(matched, e)
			line.mark = i
		}
	}
	if n := len(matched); n < len(want) {
		r.t.Fatalf("bustest: no event matches %s (%d of %d wanted ones passed, in this order; the last is marked)\n%s\n%s", want[n], n, len(want), wanted(want, n), line)
	}
	return matched
}

// WantExactly fails the test unless these events passed, in this order, and no others, and none was missed.
func (r *Recorder[T]) WantExactly(want ...Matcher[T]) []bus.Event[T] {
	r.t.Helper()
	line := r.settled()
	for i, e := range line.events {
		line.mark = i
		if i >= len(want) {
			r.t.Fatalf("bustest: event %d wasn't wanted (want %d events)\n%s\n%s", i+1, len(want), wanted(want, i), line)
		}
		if !want[i].Match(e) {
			r.t.Fatalf("bustest: event %d doesn't match %s\n%s\n%s", i+1, want[i], wanted(want, i), line)
		}
	}
	line.mark = -1
	if n := len(line.events); n < len(want) {
		r.t.Fatalf("bustest: %d events passed, want %d: the next is %s\n%s\n%s", n, len(want), want[n], wanted(want, n), line)
	}
	r.wantNoGap(line)
	return line.events
}

// WantNone fails the test if an event that matches has passed; with no matcher, if any has. It fails too if events were missed,
// since one of them may have matched.
func (r *Recorder[T]) WantNone(not ...Matcher[T]) {
	r.t.Helper()
	line := r.settled()
	for i, e := range line.events {
		line.mark = i
		if len(not) == 0 {
			r.t.Fatalf("bustest: event %d passed, want none\n%s", i+1, line)
		}
		for _, m := range not {
			if m.Match(e) {
				r.t.Fatalf("bustest: event %d matches %s, want none\n%s", i+1, m, line)
			}
		}
	}
	line.mark = -1
	r.wantNoGap(line)
}

func (r *Recorder[T]) wantNoGap(line timeline[T]) {
	r.t.Helper()
	if len(line.gaps) > 0 {
		r.t.Fatalf("bustest: events were missed (give the recorder a larger bus.Queue)\n%s", line)
	}
}

// Wait waits until an event that matches has passed, at most 10 s, and returns the first that did. It is for events that are caused outside
// of handlers, by a timer or another goroutine, so that settling doesn't wait for them.
func (r *Recorder[T]) Wait(want Matcher[T]) bus.Event[T] {
	r.t.Helper()
	timer := time.NewTimer(settleTime)
	defer timer.Stop()
	for seen := 0; ; {
		line, more := r.now()
		for ; seen < len(line.events); seen++ {
			if want.Match(line.events[seen]) {
				return line.events[seen]
			}
		}
		select {
		case <-more:
		case <-timer.C:
			r.t.Fatalf("bustest: no event matches %s within %v\n%s", want, settleTime, line)
		}
	}
}
