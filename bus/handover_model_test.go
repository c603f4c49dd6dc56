package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
	"pgregory.net/rapid"
)

// handover runs random commands against a bus with a small tail, and knows what each subscription has to get.
type handover struct {
	j          *bustest.MemJournal
	attachment bus.Attachment // of the bus that runs
	b          *bus.Bus
	events     int      // of the tail
	vms        []string // of each event, from number 1 on
	readers    []*modelReader
}

// hearing is a journal whose attachment the model knows.
type hearing struct {
	*bustest.MemJournal
	attached *bus.Attachment
}

func (h hearing) Attach(a bus.Attachment) (func(), error) {
	*h.attached = a
	return h.MemJournal.Attach(a)
}

// modelReader is a subscription as the model sees it.
type modelReader struct {
	name   string
	kind   string // durable, lanes, batch, from, block, live
	picky  bool
	sub    *bus.Subscription
	start  uint64 // what follows is expected
	purged uint64 // of other runs

	mu   sync.Mutex
	gate chan struct{} // nil: open
	got  []uint64
	runs []int // where in got a run ended
	gaps []bus.Gap
}

const modelTenants = 3

func (r *modelReader) wants(seq uint64) bool { return !r.picky || seq%modelTenants == 0 }

func (r *modelReader) take(seq uint64) {
	r.mu.Lock()
	gate := r.gate
	r.mu.Unlock()
	if gate != nil {
		<-gate
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, seq)
}

func (r *modelReader) gap(_ context.Context, g bus.Gap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gaps = append(r.gaps, g)
}

func (r *modelReader) hold(closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case closed && r.gate == nil:
		r.gate = make(chan struct{})
	case !closed && r.gate != nil:
		close(r.gate)
		r.gate = nil
	}
}

func (h *handover) open() error {
	h.b = bus.New(bus.Options{Journal: hearing{h.j, &h.attachment}, Source: "model", TailEvents: h.events, Logger: slog.New(slog.DiscardHandler)})
	return bus.Register[noted](h.b, "test.>", 1)
}

func (h *handover) subscribe(r *modelReader) (err error) {
	var opts []bus.Option
	if r.picky {
		opts = append(opts, bus.Where(func(e bus.Header) bool { return r.wants(e.Seq) }))
	}
	c := h.b.Client("model")
	if r.kind == "batch" {
		r.sub, err = bus.SubscribeBatch(c, r.name, func(ctx context.Context, b bus.Batch[noted]) error {
			if err := h.j.SetCursor(ctx, r.name, b.To); err != nil {
				return err // effects and cursor are stored together, or not at all
			}
			for _, e := range b.Events {
				r.take(e.Seq)
			}
			return nil
		}, append(opts, bus.From(r.start))...)
		return err
	}
	opts = append(opts, bus.OnGap(r.gap))
	switch r.kind {
	case "durable":
		opts = append(opts, bus.Durable(r.name), bus.From(r.start), bus.Queue(4, bus.Policy{}))
	case "lanes":
		opts = append(opts, bus.Durable(r.name), bus.From(r.start), bus.Lanes(3), bus.Queue(2, bus.Policy{}))
	case "from":
		opts = append(opts, bus.From(r.start))
	case "block":
		opts = append(opts, bus.Queue(2, bus.Block(time.Second)))
	case "live":
		opts = append(opts, bus.Queue(1<<16, bus.DropOldest))
	}
	r.sub, err = bus.Subscribe(c, func(_ context.Context, e bus.Event[noted]) error {
		r.take(e.Seq)
		return nil
	}, opts...)
	return err
}

// stored reports whether the subscription goes on where it was after a restart.
func (r *modelReader) stored() bool {
	return r.kind == "durable" || r.kind == "lanes" || r.kind == "batch"
}

// command is one step of the model.
type command struct{ Op, N, Who int }

func (h *handover) last() uint64 { return uint64(len(h.vms)) }

// payloads are what is committed next.
func (h *handover) payloads(n int) (all []bus.Payload) {
	for i := range n {
		vm := fmt.Sprint(i % 4)
		h.vms = append(h.vms, vm)
		all = append(all, noted{N: len(h.vms), VM: vm})
	}
	return all
}

func (h *handover) records(n int) (all []bus.Record, err error) {
	for _, p := range h.payloads(n) {
		r, err := h.b.Prepare(context.Background(), p)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func (h *handover) do(c command) error {
	r := h.readers[c.Who%len(h.readers)]
	switch c.Op {
	case 0, 1, 2: // a commit of this server
		if _, err := h.j.Append(context.Background(), h.payloads(c.N)...); err != nil {
			return err
		}
	case 3, 4: // a commit of another server, with or without a hint
		all, err := h.records(c.N)
		if err != nil {
			return err
		}
		if c.Op == 3 {
			h.j.AppendRecords(all...)
		} else {
			h.j.AppendSilently(all...)
		}
	case 5: // a late or repeated hint
		h.attachment.Wake(h.last() / uint64(c.N))
	case 6: // what was handed over is handed over again
		page, err := h.j.Read(context.Background(), h.last()-min(h.last(), uint64(c.N)), c.N)
		if err == nil && len(page) > 0 {
			h.attachment.Committed(page)
		}
	case 7: // time passes
		time.Sleep(time.Duration(c.N) * 10 * time.Millisecond)
	case 8: // retention
		first, last, _ := h.j.Bounds(context.Background())
		h.j.RemoveUpTo(first + min(uint64(c.N), last-first+1) - 1)
	case 9:
		r.hold(true)
	case 10:
		r.hold(false)
	case 11: // a subscription ends and is there again
		if r.stored() {
			return h.reopen(r)
		}
	case 12: // the journal fails for a while
		h.j.Fail(errors.New("away"))
		time.Sleep(time.Duration(c.N) * 30 * time.Millisecond)
		h.j.Fail(nil)
		time.Sleep(time.Second)
	case 13:
		synctest.Wait()
	}
	return nil
}

func (h *handover) reopen(r *modelReader) error {
	r.sub.Close()
	r.hold(false)
	<-r.sub.Done()
	r.purged += r.sub.Inspect().Dropped
	r.runs = append(r.runs, len(r.got))
	return h.subscribe(r)
}

// check compares what a subscription got with what it had to get: each number once, in order, or missed and told so.
func (h *handover) check(r *modelReader) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	missed := r.purged + r.sub.Inspect().Dropped
	told := uint64(0)
	for _, g := range r.gaps {
		told += g.Count
	}
	next := make(map[string]uint64) // per resource if there are lanes: the lowest number that may come
	seen := make(map[uint64]int)    // in which run
	for i, seq := range r.got {
		run := 1
		for _, end := range r.runs {
			if i >= end {
				run++
			}
		}
		lane := ""
		if r.kind == "lanes" {
			lane = fmt.Sprint(run, h.vms[seq-1])
		}
		switch {
		case seen[seq] == run, seen[seq] > 0 && r.kind != "lanes": // what lanes have done beyond the position comes again
			return fmt.Errorf("%s got %d twice: %v", r.name, seq, r.got)
		case seq < next[lane], seq <= r.start || seq > h.last() || !r.wants(seq):
			return fmt.Errorf("%s got %d out of order, or unasked: %v", r.name, seq, r.got)
		}
		seen[seq], next[lane] = run, seq+1
	}
	lost := uint64(0)
	for seq := r.start + 1; seq <= h.last(); seq++ {
		switch {
		case seen[seq] > 0 || !r.wants(seq):
			continue
		case !slices.ContainsFunc(r.gaps, func(g bus.Gap) bool { return g.FirstSeq <= seq && seq <= g.LastSeq }) && r.kind != "batch" && seq < slices.Max(append(r.got, 0)):
			return fmt.Errorf("%s never got %d, and wasn't told: %v, gaps %+v", r.name, seq, r.got, r.gaps)
		}
		lost++
	}
	if lost > missed {
		return fmt.Errorf("%s lost %d, of which %d were counted", r.name, lost, missed)
	}
	if told > missed {
		return fmt.Errorf("%s was told of %d missed events, %d were counted", r.name, told, missed)
	}
	if !r.picky && len(r.runs) == 0 && missed != lost { // a run that ended tells again what it told too early, or not at all
		return fmt.Errorf("%s lost %d, but %d were counted as missed: %v, gaps %+v", r.name, lost, missed, r.got, r.gaps)
	}
	return nil
}

func (h *handover) run(commands []command) (err error) {
	if err := h.open(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	defer func() {
		for _, r := range h.readers {
			r.hold(false)
		}
		err = errors.Join(err, h.b.Close(ctx))
	}()
	for _, r := range h.readers {
		if err := h.subscribe(r); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	for i, c := range commands {
		if err := h.do(c); err != nil {
			return fmt.Errorf("command %d %+v: %w", i, c, err)
		}
	}
	for _, r := range h.readers {
		r.hold(false)
	}
	if err := h.b.Flush(ctx); err != nil {
		return err
	}
	for _, r := range h.readers {
		if err := h.check(r); err != nil {
			return err
		}
	}
	return nil
}

// What is committed reaches each subscription once and in order, from memory or from the journal, or is announced as missed.
func TestOrderIsKeptBetweenJournalAndTail(t *testing.T) {
	commandOf := rapid.Custom(func(t *rapid.T) command {
		return command{Op: rapid.IntRange(0, 13).Draw(t, "op"), N: rapid.IntRange(1, 40).Draw(t, "n"), Who: rapid.IntRange(0, 9).Draw(t, "who")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		h := &handover{j: bustest.NewJournal(), events: rapid.IntRange(1, 40).Draw(rt, "tail")}
		for i, kind := range []string{"durable", "lanes", "batch", "from", "block", "live", "durable", "batch"} {
			h.readers = append(h.readers, &modelReader{name: fmt.Sprint(kind, i), kind: kind, picky: i > 5})
		}
		commands := rapid.SliceOfN(commandOf, 1, 40).Draw(rt, "commands")
		var err error
		synctest.Test(t, func(*testing.T) { err = h.run(commands) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}
