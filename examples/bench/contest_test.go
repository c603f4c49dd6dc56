package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// counting is a contender whose figures are 100, then 1, 2, 3, …: the first is the round that warms up.
func counting(name string, log *[]string, bars ...bar) contender {
	n := 0.0
	return contender{name: name, bars: bars,
		run: func() ([]float64, error) {
			*log = append(*log, name)
			if n++; n == 1 {
				return []float64{100}, nil
			}
			return []float64{n - 1}, nil
		},
		close: func() error { *log = append(*log, "close "+name); return nil },
	}
}

func TestContendersTakeTurns(t *testing.T) {
	var log []string
	b := &bench{rounds: 5, progress: io.Discard, group: "g"}
	err := b.hold(contest{name: "thing", unit: "ns", contenders: []contender{counting("ours", &log), counting("a", &log, atLeast(1)), counting("b", &log)}})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 6 {
		turn := slices.Sorted(slices.Values(log[3*round : 3*round+3]))
		if !slices.Equal(turn, []string{"a", "b", "ours"}) {
			t.Errorf("round %d: %v", round, turn)
		}
	}
	if got := log[18:]; !slices.Equal(got, []string{"close ours", "close a", "close b"}) {
		t.Errorf("after the rounds: %v", got)
	}
	if len(b.rows) != 2 || b.rows[0].ours != 3 || *b.rows[0].theirs != 3 || b.rows[0].verdict() != "ok" || b.rows[1].verdict() != "" {
		t.Errorf("rows: %+v", b.rows)
	}
}

func TestOrderOfTurnsVaries(t *testing.T) {
	var log []string
	b := &bench{rounds: 99, progress: io.Discard}
	if err := b.hold(contest{contenders: []contender{counting("ours", &log), counting("a", &log)}}); err != nil {
		t.Fatal(err)
	}
	first := 0
	for round := range 100 {
		if log[2*round] == "ours" {
			first++
		}
	}
	if first == 0 || first == 100 {
		t.Errorf("ours went first in %d of 100 rounds", first)
	}
}

func TestEachFigureIsARow(t *testing.T) {
	c := contest{name: "latency", figures: []string{"p50", "p99"}, contenders: []contender{{bars: []bar{{}, limit(1)}}, {name: "a", bars: []bar{atLeast(1)}}}}
	var got []string
	for _, r := range c.compare("g", [][]float64{{1, 2}, {3, 4}}) {
		got = append(got, strings.TrimSpace(r.name+" "+r.peer+" "+r.verdict()))
	}
	if want := []string{"latency, p50 a ok", "latency, p99  SHORT", "latency, p99 a"}; !slices.Equal(got, want) {
		t.Errorf("rows are %q, want %q", got, want)
	}
}

func TestFailureClosesAll(t *testing.T) {
	var log []string
	broken := errors.New("broken")
	bad := contender{name: "bad", run: func() ([]float64, error) { return nil, broken }}
	b := &bench{rounds: 1, progress: io.Discard}
	err := b.hold(contest{name: "thing", contenders: []contender{counting("ours", &log), bad}})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "thing: bad") {
		t.Errorf("error is %v", err)
	}
	if !slices.Contains(log, "close ours") {
		t.Errorf("ours wasn't closed: %v", log)
	}
	if len(b.rows) > 0 {
		t.Errorf("rows: %v", b.rows)
	}
}
