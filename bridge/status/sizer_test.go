package status_test

import (
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
)

// writing is a writer whose transactions take a time for each report, and one for the commit.
type writing struct {
	sizer                  status.Sizer
	now                    time.Time
	each, commit           time.Duration
	foreground, background uint64
}

// settle runs transactions until a time has passed, beside so many others a second, and returns how many reports the last one had.
func (w *writing) settle(d time.Duration, others float64) (n int) {
	end, due := w.now.Add(d), 0.0
	for w.now.Before(end) {
		n = w.sizer.Next(w.foreground, w.background, w.now)
		took := time.Duration(n)*w.each + w.commit
		w.sizer.Took(n, took)
		w.now = w.now.Add(took)
		w.background++
		due += others * took.Seconds()
		w.foreground += uint64(due)
		due -= float64(uint64(due))
	}
	return n
}

func TestHowManyReportsShareATransaction(t *testing.T) {
	const us = time.Microsecond
	for _, c := range []struct {
		name         string
		each, commit time.Duration
		others       float64
		least, most  int
	}{
		{"alone, a quick machine", 5 * us, 0, 0, 256, 256},
		{"alone", 30 * us, 0, 0, 80, 110},
		{"alone, a slow machine", time.Millisecond, 0, 0, 32, 32},
		{"others come now and then", 30 * us, 0, 1, 80, 110},
		{"beside others, a quick machine", 5 * us, 0, 500, 64, 64},
		{"beside others", 30 * us, 200 * us, 500, 8, 12},
		{"beside others, a slow disk", 30 * us, 3 * time.Millisecond, 500, 2, 3},
	} {
		w := writing{each: c.each, commit: c.commit, now: time.Now()}
		if n := w.settle(20*time.Second, c.others); n < c.least || n > c.most {
			t.Errorf("%s: %d reports, want %d to %d", c.name, n, c.least, c.most)
		}
	}
}

func TestReportsMakeRoomWhenOthersComeAndTakeItBack(t *testing.T) {
	w := writing{each: 30 * time.Microsecond, commit: 400 * time.Microsecond, now: time.Now()}
	if n := w.settle(time.Second, 0); n < 64 {
		t.Fatalf("%d reports alone", n)
	}
	if n := w.settle(50*time.Millisecond, 500); n > 32 {
		t.Errorf("%d reports, with others that have come for 50 ms", n)
	}
	if n := w.settle(20*time.Second, 0); n < 64 {
		t.Errorf("%d reports long after the others have gone", n)
	}
}
