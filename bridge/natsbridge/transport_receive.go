package natsbridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	firstPause   = 50 * time.Millisecond // after a handler that failed; it doubles up to longPause
	longPause    = 5 * time.Second
	pullLength   = 30 * time.Second // how long one request for a letter stands
	pullBeat     = time.Second      // how often the broker says meanwhile that it is there
	settleLook   = 200 * time.Millisecond
	signsOfLife  = 3 // in the time that the broker waits for one
	nakedTimeout = time.Second

	settlePatience = 10 // times AckWait, about: how long letters are waited for that nobody works on
)

// reception is one Receive.
type reception struct {
	t      *Transport
	in     bridge.Inlet
	handle func(context.Context, []bridge.Delivery) error
	place  place
}

// place is how far a reception has come, for the case that its consumer is deleted.
type place struct {
	stream  string
	created time.Time
	seq     uint64
}

// Receive hands the letters of a stream to handle, from the place of a durable pull consumer. See bridge.Transport.
//
// The stream is that of the inlet's name, or the one that has its subjects already, or a new one. The consumer is made if it isn't there; one that an operator
// has deleted is made again and goes on where this Receive was, from the stream's beginning after a restart. Letters are acknowledged one by one when handle has
// returned nil, and the broker confirms that it has heard so. While handle runs, and while it is tried again, the broker is told that the letters are being worked on.
//
// After a process has died the broker takes AckWait to notice, and longer if it is busy; Receive waits for that, ten times as long at most, so that the letters the process had come before newer ones. Two
// that receive under one durable name at the same time share the letters: the order is then each one's own.
//
// Errors: *bridge.OptionError, ErrClosed after Close, ctx's.
func (t *Transport) Receive(ctx context.Context, in bridge.Inlet, handle func(context.Context, []bridge.Delivery) error) error {
	in, err := in.WithDefaults()
	if err != nil {
		return err
	}
	if err := checkInlet(in); err != nil {
		return err
	}
	r := &reception{t: t, in: in, handle: handle}
	if !t.begin(r) {
		return ErrClosed
	}
	defer t.finish(r)
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.life, cancel)()
	r.run(inner)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return ErrClosed
}

func (t *Transport) begin(r *reception) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.life.Err() != nil {
		return false
	}
	t.running.Add(1)
	t.receptions[r] = nil
	return true
}

func (t *Transport) finish(r *reception) {
	t.mu.Lock()
	delete(t.receptions, r)
	t.mu.Unlock()
	t.running.Done()
}

// trouble notes what is wrong with a reception, and logs it if it is news.
func (r *reception) trouble(err error) {
	r.t.mu.Lock()
	before := r.t.receptions[r]
	r.t.receptions[r] = err
	r.t.mu.Unlock()
	log := r.t.options.Logger.With("stream", r.in.Stream, "durable", r.in.Durable)
	switch {
	case err != nil && (before == nil || before.Error() != err.Error()):
		log.Warn("nats: nothing is received", "error", err)
	case err == nil && before != nil:
		log.Info("nats: receiving again")
	}
}

// run joins the stream and reads from it, again and again until ctx ends.
func (r *reception) run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		if err := r.t.keeper.gate.wait(ctx); err != nil {
			return
		}
		span, err := r.t.keeper.pass()
		if err != nil {
			continue
		}
		began := time.Now()
		err = r.session(ctx, span)
		if ctx.Err() != nil {
			return
		}
		if span.Err() != nil {
			continue // Health says that the broker is away
		}
		r.trouble(err)
		if time.Since(began) > longPause {
			pause = firstPause
		}
		sleep(ctx, pause)
		pause = min(2*pause, lookAgain)
	}
}

// session reads until something is wrong with the connection, the stream or the consumer. span is the connection's.
func (r *reception) session(ctx, span context.Context) error {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(span, cancel)()
	consumer, err := r.join(asking)
	if err != nil {
		return err
	}
	r.trouble(nil)
	waiting, err := r.unsettled(asking, consumer)
	if err != nil {
		return err
	}
	for {
		for len(waiting) > 0 {
			batch := waiting[:min(r.in.Batch, len(waiting))]
			waiting = waiting[len(batch):]
			if err := r.deliver(ctx, span, batch); err != nil {
				r.giveBack(waiting)
				return err
			}
		}
		if waiting, err = r.take(asking, consumer); err != nil {
			return err
		}
	}
}

func (r *reception) join(ctx context.Context) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	stream, err := r.joinStream(ctx)
	if err != nil {
		return nil, err
	}
	return r.joinConsumer(ctx, stream)
}

// unsettled returns what somebody received before us and didn't acknowledge, with what came beside it, in the stream's order.
// The broker delivers that again when it hasn't heard of its receiver for AckWait, later if it is busy; until then newer letters, which it would deliver first, are held back here.
func (r *reception) unsettled(ctx context.Context, consumer jetstream.Consumer) (held []jetstream.Msg, err error) {
	before := consumer.CachedInfo()
	patience := r.t.options.AckWait + settleLook
	again, begun := map[uint64]bool{}, time.Now()
	for deadline := begun.Add(patience); len(again) < before.NumAckPending; {
		if time.Now().After(deadline) {
			held = sorted(held)
			if time.Since(begun) > settlePatience*patience || !r.abandoned(ctx, consumer, before, len(held)) {
				break
			}
			deadline = time.Now().Add(patience)
		}
		fetched, err := r.fetch(ctx, consumer, 2*r.in.Batch, settleLook)
		if err != nil {
			r.giveBack(held)
			return nil, err
		}
		held = append(held, fetched...)
		for _, m := range fetched {
			if meta, err := m.Metadata(); err == nil && meta.NumDelivered > 1 {
				again[meta.Sequence.Stream] = true
			}
		}
		if !inProgress(held) {
			return nil, ErrAway
		}
	}
	return sorted(held), nil
}

// abandoned reports whether letters that we don't hold are neither acknowledged nor delivered again, though nobody has acknowledged any since before.
func (r *reception) abandoned(ctx context.Context, consumer jetstream.Consumer, before *jetstream.ConsumerInfo, held int) bool {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	now, err := consumer.Info(ctx)
	return err == nil && now.NumAckPending > held && now.AckFloor.Consumer == before.AckFloor.Consumer
}

// take waits for the next letters, and returns those that are there.
func (r *reception) take(ctx context.Context, consumer jetstream.Consumer) ([]jetstream.Msg, error) {
	for {
		batch, err := r.fetch(ctx, consumer, r.in.Batch, 0)
		if err != nil || len(batch) > 0 {
			return sorted(batch), err
		}
		if batch, err = r.fetch(ctx, consumer, 1, pullLength); err != nil {
			return nil, err
		}
		if len(batch) == 0 {
			continue
		}
		if r.in.Batch > 1 {
			more, err := r.fetch(ctx, consumer, r.in.Batch-1, 0)
			if err != nil {
				r.giveBack(batch)
				return nil, err
			}
			batch = append(batch, more...)
		}
		return sorted(batch), nil
	}
}

// fetch asks for n letters and returns those that come until all are there, none is left (patience 0) or patience is over.
func (r *reception) fetch(ctx context.Context, consumer jetstream.Consumer, n int, patience time.Duration) ([]jetstream.Msg, error) {
	batch, end, err := request(ctx, consumer, n, patience)
	defer end()
	if err != nil {
		return nil, fmt.Errorf("natsbridge: fetch for %s: %w", r.in.Durable, err)
	}
	var all []jetstream.Msg
	for m := range batch.Messages() {
		all = append(all, m)
	}
	if ctx.Err() != nil {
		r.giveBack(all)
		return nil, ctx.Err()
	}
	if err := batch.Error(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		r.giveBack(all)
		return nil, fmt.Errorf("natsbridge: fetch for %s: %w", r.in.Durable, err)
	}
	return all, nil
}

// request returns what is closed when ctx ends, and end, to be called afterwards. A short patience is kept though ctx ends: what is on its way when the client
// stops to listen waits for AckWait.
func request(ctx context.Context, consumer jetstream.Consumer, n int, patience time.Duration) (batch jetstream.MessageBatch, end context.CancelFunc, err error) {
	if patience == 0 {
		batch, err = consumer.FetchNoWait(n)
		return batch, func() {}, err
	}
	if patience < pullBeat {
		batch, err = consumer.Fetch(n, jetstream.FetchMaxWait(patience))
		return batch, func() {}, err
	}
	ctx, end = context.WithTimeout(ctx, patience)
	options := []jetstream.FetchOpt{jetstream.FetchContext(ctx)}
	if patience > 3*pullBeat {
		options = append(options, jetstream.FetchHeartbeat(pullBeat))
	}
	batch, err = consumer.Fetch(n, options...)
	return batch, end, err
}

// deliver hands a batch over until handle takes it, and acknowledges it. An error says that the broker doesn't know of that.
func (r *reception) deliver(ctx, span context.Context, batch []jetstream.Msg) error {
	letters := r.open(batch)
	stop := r.keepAlive(batch)
	defer stop()
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := r.handle(ctx, slices.Clone(letters))
		if err == nil {
			break
		}
		if ctx.Err() != nil || !sleep(ctx, pause) {
			r.giveBack(batch)
			return ctx.Err()
		}
		for i := range letters {
			letters[i].Tries++
		}
	}
	r.place.seq = max(r.place.seq, letters[len(letters)-1].Seq)
	return r.acknowledge(span, batch)
}

func (r *reception) open(batch []jetstream.Msg) []bridge.Delivery {
	letters := make([]bridge.Delivery, len(batch))
	for i, m := range batch {
		d := bridge.Delivery{Letter: bridge.Letter{ID: m.Headers().Get(jetstream.MsgIDHeader), Subject: m.Subject(), Header: m.Headers(), Data: m.Data()}}
		if meta, err := m.Metadata(); err == nil {
			d.Seq, d.Time, d.Tries = meta.Sequence.Stream, meta.Timestamp, int(min(meta.NumDelivered, 1<<30))
		}
		letters[i] = d
	}
	return letters
}

// acknowledge returns when the broker has heard of it, or won't.
func (r *reception) acknowledge(span context.Context, batch []jetstream.Msg) error {
	for _, m := range batch[:len(batch)-1] {
		if err := m.Ack(); err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
			return fmt.Errorf("natsbridge: acknowledge for %s: %w", r.in.Durable, err)
		}
	}
	ctx, cancel := context.WithTimeout(span, r.t.options.AckTimeout)
	defer cancel()
	// The broker takes the acknowledgements of a connection in their order: the last one's answer is for all.
	if err := batch[len(batch)-1].DoubleAck(ctx); err != nil {
		return fmt.Errorf("natsbridge: acknowledge for %s: %w", r.in.Durable, err)
	}
	return nil
}

// giveBack lets the broker deliver a batch again at once, to whoever comes next.
func (r *reception) giveBack(batch []jetstream.Msg) {
	if len(batch) == 0 {
		return
	}
	for _, m := range batch {
		if m.Nak() != nil {
			return
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), nakedTimeout)
	defer cancel()
	_ = r.t.keeper.jetStream().Conn().FlushWithContext(ctx) // what it hasn't heard of it delivers after AckWait
}

// keepAlive tells the broker that a batch is being worked on, until stop is called.
func (r *reception) keepAlive(batch []jetstream.Msg) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, r.t.options.AckWait/signsOfLife) {
			inProgress(batch)
		}
	}()
	return func() { cancel(); <-done }
}

// inProgress is false if the connection is gone.
func inProgress(batch []jetstream.Msg) bool {
	for _, m := range batch {
		if m.InProgress() != nil {
			return false
		}
	}
	return true
}

// sorted brings letters in the stream's order: those that are delivered again come out of it.
func sorted(batch []jetstream.Msg) []jetstream.Msg {
	seq := func(m jetstream.Msg) uint64 {
		if meta, err := m.Metadata(); err == nil {
			return meta.Sequence.Stream
		}
		return 0
	}
	slices.SortStableFunc(batch, func(a, b jetstream.Msg) int { return cmp.Compare(seq(a), seq(b)) })
	return slices.CompactFunc(batch, func(a, b jetstream.Msg) bool { return seq(a) == seq(b) })
}
