package natsbridge_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestRemoteConformance(t *testing.T) {
	bustest.Journal(t, func(t *testing.T) (bus.Journal, func(context.Context, ...bus.Payload) error) {
		b := newBroker(t).start()
		js, _ := cloudStream(t, b)
		r := &restarting{t: t, url: b.url(), js: js}
		r.open()
		t.Cleanup(func() { r.end() })
		return r, r.record
	})
}

// restarting is the journal of a remote process that starts again when its bus has been closed, and beside it a server that records.
type restarting struct {
	remoteJournal
	t   *testing.T
	url string
	js  jetstream.JetStream
	end func()

	mu       sync.Mutex
	attached *bus.Attachment
	stored   uint64
	handed   uint64
	news     chan struct{} // closed when more was handed over
}

// remoteJournal is all that a remote journal can.
type remoteJournal interface {
	bus.Journal
	bus.Leaser
	bus.Parker
	bus.AttemptKeeper
}

func (r *restarting) open() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	j, end, err := natsbridge.RemoteJournal(ctx, r.url, natsbridge.RemoteOptions{Logger: discard})
	must(r.t, err)
	r.remoteJournal, r.end = j.(remoteJournal), end
}

// Attach has what is handed over noted.
func (r *restarting) Attach(a bus.Attachment) (func(), error) {
	committed := a.Committed
	noted := a
	noted.Committed = func(records []bus.Record) {
		if committed != nil {
			committed(records)
		}
		r.hand(records[len(records)-1].Seq)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.news = make(chan struct{})
	detach, err := r.remoteJournal.Attach(noted)
	if err != nil {
		return nil, err
	}
	r.attached = &a
	return func() {
		detach()
		r.open()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.attached = nil
	}, nil
}

func (r *restarting) hand(seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handed = max(r.handed, seq)
	close(r.news)
	r.news = make(chan struct{})
	if r.attached.Committed == nil {
		r.attached.Wake(seq)
	}
}

// record sends events as a server does, all or none, and waits until the remote process has heard of them.
func (r *restarting) record(ctx context.Context, payloads ...bus.Payload) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attached == nil {
		return bustest.ErrDetached
	}
	messages := make([]*nats.Msg, len(payloads))
	for i, p := range payloads {
		record, err := r.attached.Prepare(ctx, p)
		if err != nil {
			return err
		}
		subject, err := bridge.Subject(record.Tenant, record.Type)
		if err != nil {
			return err
		}
		data, err := bridge.Encode(bus.Event[bus.Raw]{Header: record.Header, Payload: record.Data})
		if err != nil {
			return err
		}
		messages[i] = &nats.Msg{Subject: subject, Header: nats.Header{"Content-Type": {bridge.ContentType}}, Data: data}
	}
	for _, m := range messages {
		ack, err := r.js.PublishMsg(ctx, m)
		if err != nil {
			return err
		}
		r.stored = ack.Sequence
	}
	for want := r.stored; r.handed < want; {
		news := r.news
		r.mu.Unlock()
		select {
		case <-news:
			r.mu.Lock()
		case <-ctx.Done():
			r.mu.Lock()
			return ctx.Err()
		}
	}
	return nil
}
