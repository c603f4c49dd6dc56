package natsbridge_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bridge/sinktest"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

func TestSink(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) *sinktest.Broker {
		const tooLarge = 256 << 10
		b := newBroker(t, func(o *server.Options) { o.MaxPayload = tooLarge }).start()
		return &sinktest.Broker{
			New: func() (bridge.Sink, error) { return natsbridge.New(natsbridge.Options{URL: b.url()}) },
			Received: func(context.Context) ([]sinktest.Received, error) {
				var all []sinktest.Received
				for _, m := range b.messages() {
					all = append(all, received(m.Subject, m.Header, m.Data))
				}
				return all, nil
			},
			Stop:     func() error { b.stop(); return nil },
			Start:    func() error { b.start(); return nil },
			Repeats:  sinktest.Dropped,
			TooLarge: tooLarge,
		}
	})
}

func TestCore(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) *sinktest.Broker {
		const tooLarge = 256 << 10
		b := newBroker(t, func(o *server.Options) { o.MaxPayload, o.JetStream = tooLarge, false }).start()
		// Who isn't there doesn't get a message. So the listener stays, and the sinks' way to the server is cut.
		way := newWay(t, b)
		conn, err := nats.Connect(b.url())
		must(t, err)
		t.Cleanup(conn.Close)
		sub, err := conn.SubscribeSync("cloudbus.>")
		must(t, err)
		must(t, conn.Flush())
		var all []sinktest.Received
		return &sinktest.Broker{
			New: func() (bridge.Sink, error) {
				return natsbridge.NewCore(natsbridge.CoreOptions{URL: "nats://" + way.address})
			},
			Received: func(ctx context.Context) ([]sinktest.Received, error) {
				for {
					if err := conn.FlushWithContext(ctx); err != nil {
						return nil, err
					}
					n, _, err := sub.Pending()
					if n == 0 || err != nil {
						return all, err
					}
					for range n {
						m, err := sub.NextMsgWithContext(ctx)
						if err != nil {
							return nil, err
						}
						all = append(all, received(m.Subject, m.Header, m.Data))
					}
				}
			},
			Stop:     way.stop,
			Start:    way.start,
			TooLarge: tooLarge,
		}
	})
}

// received is a message as the suite compares it. The binding has the content type of the data among the attributes, too.
func received(subject string, header nats.Header, data []byte) sinktest.Received {
	r := sinktest.Received{ID: header.Get("Nats-Msg-Id"), Subject: subject, Data: data}
	r.ContentType, r.Attributes, _ = bridge.ReadHeader(header)
	return r
}

// way is a way to a broker that can be cut, and mended.
type way struct {
	t       *testing.T
	address string
	to      string
	running sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

func newWay(t *testing.T, b *broker) *way {
	w := &way{t: t, address: fmt.Sprintf("127.0.0.1:%d", freePort(t)), to: strings.TrimPrefix(b.url(), "nats://")}
	must(t, w.start())
	t.Cleanup(func() { must(t, w.stop()) })
	return w
}

func (w *way) start() error {
	l, err := net.Listen("tcp", w.address)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listener = l
	w.running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			w.join(client)
		}
	})
	return nil
}

func (w *way) join(client net.Conn) {
	server, err := net.Dial("tcp", w.to)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || w.listener == nil {
		_ = client.Close()
		return
	}
	w.conns = append(w.conns, client, server)
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		w.running.Go(func() {
			_, _ = io.Copy(pair[0], pair[1])
			_, _ = pair[0].Close(), pair[1].Close()
		})
	}
}

// tell has the clients hear what the server doesn't say.
func (w *way) tell(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := 0; i < len(w.conns); i += 2 { // client, server
		_, err := w.conns[i].Write([]byte(line))
		must(w.t, err)
	}
}

func (w *way) stop() error {
	w.mu.Lock()
	if w.listener != nil {
		_ = w.listener.Close()
	}
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.listener, w.conns = nil, nil
	w.mu.Unlock()
	w.running.Wait()
	return nil
}
