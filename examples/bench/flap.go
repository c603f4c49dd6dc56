package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
)

const (
	flaps     = 50
	flapPause = 100 * time.Millisecond
)

// flap has a VM change its state again and again, faster than anybody wants to hear of, and looks at what its provider reports: how long it
// was silent at most, and what it said last.
func (b *bench) flap() (err error) {
	b.say(fmt.Sprintf("%d changes of a VM, %v apart", flaps, flapPause))
	wire := transporttest.New()
	r, err := status.NewReporter(wire, status.ReporterOptions{Provider: "bench", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	states := []status.Status{status.Running, status.Paused}
	begun := time.Now()
	var last status.Status
	for i := range flaps {
		last = states[i%len(states)]
		if err := r.Report(context.Background(), status.Observation{ServiceType: "vm", ID: "flapper", Status: last}); err != nil {
			return err
		}
		time.Sleep(flapPause)
	}
	ended := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		return err
	}
	sent := wire.Letters()
	if len(sent) == 0 {
		return errors.New("nothing was reported")
	}
	times := []time.Time{begun}
	for _, d := range sent {
		times = append(times, d.Time)
	}
	times = append(times, ended)
	slices.SortFunc(times, time.Time.Compare)
	silence := time.Duration(0)
	for i, t := range times[1:] {
		silence = max(silence, t.Sub(times[i]))
	}
	decoder, err := status.NewDecoder()
	if err != nil {
		return err
	}
	said, err := decoder.Decode(sent[len(sent)-1].Letter)
	if err != nil {
		return err
	}
	wrong := 0.0
	if said.Status != last {
		wrong = 1
	}
	what := fmt.Sprintf("a flap of %d changes %v apart", flaps, flapPause)
	b.rows = append(b.rows,
		row{group: b.group, name: what + ", longest silence", unit: "s", ours: silence.Seconds(), bar: bar{sort: absolute, limit: 2}},
		row{group: b.group, name: what + ", reports", ours: float64(len(sent))},
		row{group: b.group, name: what + ", last report isn't the last state", ours: wrong, bar: bar{sort: absolute}})
	return nil
}
