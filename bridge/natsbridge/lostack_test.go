package natsbridge_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
)

// wire is a way to the broker that is cut when the first message on the subject has passed: its acknowledgement never comes back.
type wire struct {
	net.Listener
	to      string
	subject []byte
	passed  sync.Once
	conns   sync.WaitGroup
}

func (w *wire) run() {
	for {
		client, err := w.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		both := func() { _, _ = client.Close(), server.Close() }
		w.conns.Go(func() { defer both(); _, _ = io.Copy(client, server) })
		w.conns.Go(func() { defer both(); w.watch(server, client) })
	}
}

func (w *wire) watch(server io.Writer, client io.Reader) {
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		cut := false
		if bytes.Contains(buf[:n], w.subject) {
			w.passed.Do(func() { cut = true })
		}
		if cut || err != nil {
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

func TestDisconnectEndsTheWaitForAnAcknowledgement(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w := &wire{Listener: l, to: broker.url()[len("nats://"):], subject: []byte("cloudbus._.vm.created")}
	w.conns.Go(w.run)
	defer w.conns.Wait()
	defer l.Close()

	sink, err := natsbridge.New(natsbridge.Options{URL: "nats://" + l.Addr().String(), AckTimeout: bridge.SendTimeout})
	must(t, err)
	must(t, sink.Open(t.Context(), slog.New(slog.DiscardHandler)))
	defer sink.Close(t.Context())
	must(t, sink.Ready(t.Context()))
	m := bridge.Message{ID: "1", Subject: "cloudbus._.vm.created", Data: []byte("{}")}
	began := time.Now()
	if err := sink.Send(t.Context(), m); !errors.Is(err, natsbridge.ErrAway) {
		t.Errorf("Send over a connection that broke: %v, want ErrAway", err)
	}
	if took := time.Since(began); took > bridge.SendTimeout/2 {
		t.Errorf("it took %v to notice", took)
	}
	must(t, sink.Ready(t.Context()))
	must(t, sink.Send(t.Context(), m))
	if n := len(broker.messages()); n != 1 {
		t.Errorf("%d messages are in the stream, want 1", n)
	}
}
