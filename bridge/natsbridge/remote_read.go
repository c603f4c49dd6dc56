package natsbridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	followBatch = 256
	followIdle  = 30 * time.Second // after which the broker forgets a consumer of ours that nobody asks
)

var errPage = errors.New("natsbridge: the broker has left messages out")

// Bounds asks the stream.
func (j *remote) Bounds(ctx context.Context) (first, last uint64, err error) {
	stream, _, ctx, done, err := j.there(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer done()
	info, err := stream.Info(ctx)
	if err != nil {
		return 0, 0, j.failed("bounds", err)
	}
	first, last = bounds(info.State)
	return first, last, nil
}

func bounds(s jetstream.StreamState) (first, last uint64) {
	if s.Msgs == 0 {
		return s.LastSeq + 1, s.LastSeq
	}
	return s.FirstSeq, s.LastSeq
}

// Read fills holes, so that numbers follow one another.
func (j *remote) Read(ctx context.Context, after uint64, limit int) ([]bus.Record, error) {
	if limit < 1 {
		return nil, fmt.Errorf("natsbridge: read %d records: must be at least 1", limit)
	}
	stream, _, ctx, done, err := j.there(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	info, err := stream.Info(ctx) // before the messages are asked for: what comes later isn't a hole
	if err != nil {
		return nil, j.failed("read", err)
	}
	first, last := bounds(info.State)
	after = max(after, first-1)
	if after >= last {
		return nil, nil
	}
	consumer, err := j.consumer(ctx, stream, jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1})
	if err != nil {
		return nil, err
	}
	defer j.drop(consumer)
	p := page{j: j, next: after + 1, limit: limit}
	pending := consumer.CachedInfo().NumPending
	for p.room() > 0 && pending > 0 {
		got, err := p.take(ctx, consumer, 0)
		if err != nil {
			return nil, err
		}
		if got == 0 {
			return nil, errPage
		}
		pending = p.pending
	}
	if !p.cut {
		p.fill(last + 1)
	}
	return p.records, nil
}

// page is records without holes, from messages that come in order.
type page struct {
	j       *remote
	next    uint64 // the number that comes next
	heard   uint64 // the consumer's number of the last message
	limit   int
	pending uint64 // messages behind the last one
	records []bus.Record
	cut     bool      // there was no room for a message
	last    uint64    // the last message
	lastAt  time.Time // when the stream stored it
}

func (p *page) room() int { return p.limit - len(p.records) }

// fill adds holes up to before, as far as there is room.
func (p *page) fill(before uint64) {
	for p.next < before && p.room() > 0 {
		p.records = append(p.records, bus.Record{Header: bus.Header{Seq: p.next}})
		p.next++
	}
}

// take asks for messages, waits for one if patience says so, and adds what comes.
func (p *page) take(ctx context.Context, consumer jetstream.Consumer, patience time.Duration) (n int, err error) {
	want := p.room()
	if patience > 0 {
		want = 1
	}
	batch, end, err := request(ctx, consumer, want, patience)
	defer end()
	if err != nil {
		return 0, p.j.failed("fetch", err)
	}
	for m := range batch.Messages() {
		if err == nil {
			err = p.add(m)
		}
		n++
	}
	if failed := batch.Error(); failed != nil && !errors.Is(failed, context.DeadlineExceeded) && err == nil {
		err = p.j.failed("fetch", failed)
	}
	return n, err
}

func (p *page) add(m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return p.j.failed("fetch", err)
	}
	if p.heard++; meta.Sequence.Consumer != p.heard || meta.Sequence.Stream < p.next {
		return errPage
	}
	p.pending = meta.NumPending
	p.fill(meta.Sequence.Stream)
	if p.cut = p.cut || p.room() == 0; p.cut {
		return nil
	}
	p.records = append(p.records, p.j.record(m, meta))
	p.next, p.last, p.lastAt = meta.Sequence.Stream+1, meta.Sequence.Stream, meta.Timestamp
	return nil
}

// record reads a message; one that is no event is a hole.
func (j *remote) record(m jetstream.Msg, meta *jetstream.MsgMetadata) bus.Record {
	e, err := bridge.DecodeLetter(bridge.Letter{Subject: m.Subject(), Header: m.Headers(), Data: m.Data()})
	r := bus.Record{Header: e.Header, RecordedAt: meta.Timestamp.UTC(), Data: e.Payload}
	r.Seq, r.Schema = meta.Sequence.Stream, cmp.Or(e.Schema, 1)
	if e.Time.IsZero() {
		r.Time = r.RecordedAt
	}
	if len(r.Data) == 0 {
		r.Data = []byte("null")
	}
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		j.bad.about(j.log, meta.Sequence.Stream, err)
		return bus.Record{Header: bus.Header{Seq: meta.Sequence.Stream}, RecordedAt: meta.Timestamp.UTC()}
	}
	return r
}

// consumer makes one that the broker forgets by itself.
func (j *remote) consumer(ctx context.Context, stream jetstream.Stream, c jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	c.AckPolicy, c.MemoryStorage, c.Replicas, c.InactiveThreshold = jetstream.AckNonePolicy, true, 1, followIdle
	consumer, err := stream.CreateConsumer(ctx, c)
	if err != nil {
		return nil, j.failed("consumer", err)
	}
	return consumer, nil
}

// drop tells the broker that a consumer isn't needed any more; without an answer it forgets it later.
func (j *remote) drop(consumer jetstream.Consumer) {
	if j.keeper.health() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), apiTimeout)
	defer cancel()
	_ = j.keeper.jetStream().DeleteConsumer(ctx, j.options.Stream, consumer.CachedInfo().Name)
}

// SeqBefore asks for the first message that was stored at t or later.
func (j *remote) SeqBefore(ctx context.Context, t time.Time) (uint64, error) {
	stream, _, ctx, done, err := j.there(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	info, err := stream.Info(ctx)
	if err != nil {
		return 0, j.failed("seq before a time", err)
	}
	consumer, err := j.consumer(ctx, stream, jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &t})
	if err != nil {
		return 0, err
	}
	defer j.drop(consumer)
	batch, err := consumer.FetchNoWait(1)
	if err != nil {
		return 0, j.failed("seq before a time", err)
	}
	found := info.State.LastSeq + 1
	for m := range batch.Messages() {
		if meta, err := m.Metadata(); err == nil {
			found = meta.Sequence.Stream
		}
	}
	if err := batch.Error(); err != nil {
		return 0, j.failed("seq before a time", err)
	}
	return found - 1, nil
}

// failed says what the broker didn't do. If what was asked isn't there any more, nothing more is asked until it has been looked for.
func (j *remote) failed(what string, err error) error {
	for _, gone := range []error{nats.ErrNoResponders, jetstream.ErrNoStreamResponse, jetstream.ErrStreamNotFound, jetstream.ErrBucketNotFound} {
		if errors.Is(err, gone) {
			j.keeper.gate.shut(&StreamError{Stream: j.options.Stream, Err: err})
			j.keeper.doubt()
		}
	}
	return fmt.Errorf("natsbridge: %s of stream %s: %w: %w", what, j.options.Stream, bus.ErrOutage, j.keeper.link.explain(err))
}

// follow hands over what is new in the stream until the bus is closed.
func (j *remote) follow(a bus.Attachment) {
	j.mu.Lock()
	next := j.begin
	j.mu.Unlock()
	for pause := firstPause; j.life.Err() == nil; {
		if j.keeper.gate.wait(j.life) != nil {
			return
		}
		began := time.Now()
		err := j.followOn(a, &next)
		if j.life.Err() != nil {
			return
		}
		j.log.Debug("nats: following a stream anew", "stream", j.options.Stream, "error", err)
		if time.Since(began) > longPause {
			pause = firstPause
		}
		sleep(j.life, pause)
		pause = min(2*pause, lookAgain)
	}
}

// followOn follows from next until something is wrong, and leaves next where it has come to.
func (j *remote) followOn(a bus.Attachment, next *uint64) error {
	span, err := j.keeper.pass()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(j.life)
	defer cancel()
	defer context.AfterFunc(span, cancel)()
	asking, end := context.WithTimeout(ctx, apiTimeout)
	defer end()
	stream, err := j.sameStream(asking)
	if err != nil {
		return err
	}
	consumer, err := j.consumer(asking, stream, jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: *next})
	if err != nil {
		return err
	}
	defer j.drop(consumer)
	p := page{j: j, next: *next, limit: followBatch}
	for ctx.Err() == nil {
		p.records = nil
		n, err := p.take(ctx, consumer, 0)
		if n == 0 && err == nil {
			_, err = p.take(ctx, consumer, pullLength)
		}
		if len(p.records) > 0 {
			*next = p.next
			j.handOver(a, &p)
		}
		if err != nil || p.cut {
			return err
		}
	}
	return ctx.Err()
}

// sameStream returns the stream, if it still is the one that we know: it may have been made anew while the connection was up.
func (j *remote) sameStream(ctx context.Context) (jetstream.Stream, error) {
	stream, err := j.keeper.jetStream().Stream(ctx, j.options.Stream)
	if err != nil {
		return nil, j.failed("look", err)
	}
	if err := j.recognise(ctx, stream); err != nil {
		if errors.Is(err, ErrAnew) {
			j.keeper.gate.shut(err)
		}
		return nil, err
	}
	return stream, nil
}

func (j *remote) handOver(a bus.Attachment, p *page) {
	j.mu.Lock()
	if p.last > 0 {
		j.seen, j.seenAt = p.last, p.lastAt
	}
	j.mu.Unlock()
	a.Committed(p.records)
}
