package natsbridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	testAckWait = 400 * time.Millisecond
	testPayload = 16 << 10
)

// suiteBroker is an embedded NATS server for the suite of transports.
type suiteBroker struct{ *broker }

func (b suiteBroker) Connect(t testing.TB) bridge.Transport { return newTransport(t, b.broker) }
func (b suiteBroker) Start()                                { b.start() }
func (b suiteBroker) Stop()                                 { b.stop() }
func (b suiteBroker) Limit() int                            { return testPayload + 1 }

func smallPayload(o *server.Options) { o.MaxPayload = testPayload }

func newTransport(t testing.TB, b *broker) *natsbridge.Transport {
	t.Helper()
	transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{URL: b.url(), AckWait: testAckWait, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { must(t, transport.Close(context.Background())) })
	return transport
}

func TestTransportIsATransport(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Broker {
		return suiteBroker{newBroker(t, smallPayload).start()}
	})
}

// intake is a Receive that runs until its end.
type intake struct {
	t      *testing.T
	got    chan bridge.Delivery
	stop   context.CancelFunc
	result chan error
}

func receive(t *testing.T, transport *natsbridge.Transport, in bridge.Inlet) *intake {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	i := &intake{t: t, got: make(chan bridge.Delivery, 4096), stop: cancel, result: make(chan error, 1)}
	go func() {
		i.result <- transport.Receive(ctx, in, func(_ context.Context, batch []bridge.Delivery) error {
			for _, d := range batch {
				i.got <- d
			}
			return nil
		})
	}()
	t.Cleanup(func() { cancel(); <-i.result })
	return i
}

func (i *intake) end() error {
	i.stop()
	err := <-i.result
	i.result <- err
	return err
}

func (i *intake) expect(data ...string) {
	i.t.Helper()
	for _, want := range data {
		select {
		case d := <-i.got:
			if string(d.Data) != want {
				i.t.Fatalf("got %q (number %d, try %d), want %q", d.Data, d.Seq, d.Tries, want)
			}
		case <-time.After(15 * time.Second):
			i.t.Fatalf("%q doesn't come", want)
		}
	}
}

func statusInlet() bridge.Inlet {
	return bridge.Inlet{Stream: "dcm-status", Subjects: []string{"dcm.*"}, Durable: "cloudbus"}
}

func publish(t *testing.T, js jetstream.JetStream, data ...string) {
	t.Helper()
	for _, d := range data {
		_, err := js.Publish(t.Context(), "dcm.vm", []byte(d))
		must(t, err)
	}
}

func TestTransportJoinsAStreamThatSomebodyElseOwns(t *testing.T) {
	for _, name := range []string{"dcm-status", "THEIRS"} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t).start()
			js := b.jetStream()
			theirs := jetstream.StreamConfig{Name: name, Subjects: []string{"dcm.*"}, Storage: jetstream.MemoryStorage, Retention: jetstream.InterestPolicy, MaxMsgs: 77}
			stream, err := js.CreateStream(t.Context(), theirs)
			must(t, err)
			before := stream.CachedInfo().Config
			dcm, err := stream.CreateConsumer(t.Context(), jetstream.ConsumerConfig{Durable: "dcm"})
			must(t, err)
			in := receive(t, newTransport(t, b), statusInlet())
			eventually(t, func() error {
				_, err := stream.Consumer(t.Context(), "cloudbus")
				return err
			})
			publish(t, js, "1", "2")
			in.expect("1", "2")
			theirBatch, err := dcm.Fetch(2, jetstream.FetchMaxWait(5*time.Second))
			must(t, err)
			var n int
			for range theirBatch.Messages() {
				n++
			}
			info, err := stream.Info(t.Context())
			must(t, err)
			if n != 2 || fmt.Sprint(info.Config) != fmt.Sprint(before) {
				t.Errorf("their consumer got %d of 2; the stream is %+v, was %+v", n, info.Config, before)
			}
		})
	}
}

func TestTransportMakesTheStreamWithLimits(t *testing.T) {
	b := newBroker(t).start()
	in := statusInlet()
	in.MaxAge, in.MaxBytes = time.Hour, 1<<20
	receive(t, newTransport(t, b), in)
	js := b.jetStream()
	eventually(t, func() error {
		stream, err := js.Stream(t.Context(), "dcm-status")
		if err != nil {
			return err
		}
		c := stream.CachedInfo().Config
		if c.Storage != jetstream.FileStorage || c.MaxAge != time.Hour || c.MaxBytes != 1<<20 || strings.Join(c.Subjects, " ") != "dcm.*" {
			t.Errorf("the stream is %+v", c)
		}
		return nil
	})
}

func TestTransportGoesOnWhereItWas(t *testing.T) {
	b := newBroker(t).start()
	js := b.jetStream()
	in := receive(t, newTransport(t, b), statusInlet())
	eventually(t, func() error {
		_, err := js.Consumer(t.Context(), "dcm-status", "cloudbus")
		return err
	})
	publish(t, js, "1", "2")
	in.expect("1", "2")

	t.Log("an operator deletes the consumer")
	must(t, js.DeleteConsumer(t.Context(), "dcm-status", "cloudbus"))
	publish(t, js, "3")
	in.expect("3")

	t.Log("the stream is purged")
	stream, err := js.Stream(t.Context(), "dcm-status")
	must(t, err)
	must(t, stream.Purge(t.Context()))
	publish(t, js, "4")
	in.expect("4")

	t.Log("the stream is deleted")
	must(t, js.DeleteStream(t.Context(), "dcm-status"))
	eventually(t, func() error {
		_, err := js.Publish(t.Context(), "dcm.vm", []byte("5"))
		return err
	})
	in.expect("5")
}

func TestTransportTakesABatchOverFromAProcessThatDied(t *testing.T) {
	b := newBroker(t).start()
	js := b.jetStream()
	in := statusInlet()
	in.Batch = 2
	must(t, receiveOnce(t, newTransport(t, b), in))
	publish(t, js, "1", "2", "3", "4", "5")
	// Somebody who never says another word takes the first three.
	consumer, err := js.Consumer(t.Context(), "dcm-status", "cloudbus")
	must(t, err)
	taken, err := consumer.Fetch(3)
	must(t, err)
	for range taken.Messages() {
	}
	i := receive(t, newTransport(t, b), in)
	i.expect("1", "2", "3", "4", "5")
}

// A broker that is slow to deliver again what a process had that died doesn't have newer letters come first.
func TestTransportWaitsForABrokerThatIsLate(t *testing.T) {
	b := newBroker(t).start()
	js := b.jetStream()
	in := statusInlet()
	in.Batch = 2
	must(t, receiveOnce(t, newTransport(t, b), in))
	publish(t, js, "1", "2", "3", "4", "5")
	consumer, err := js.Consumer(t.Context(), "dcm-status", "cloudbus")
	must(t, err)
	taken, err := consumer.Fetch(3)
	must(t, err)
	var first []jetstream.Msg
	for m := range taken.Messages() {
		first = append(first, m)
	}
	i := receive(t, newTransport(t, b), in)
	beats := time.NewTicker(testAckWait / 4)
	defer beats.Stop()
	for range 3 * 4 { // for three times AckWait the broker doesn't find them to be overdue
		<-beats.C
		for _, m := range first {
			must(t, m.InProgress())
		}
	}
	i.expect("1", "2", "3", "4", "5")
}

// receiveOnce makes the stream and the consumer.
// Who comes next needn't wait until the broker has noticed by itself.
func TestTransportGivesBackAllThatItHolds(t *testing.T) {
	b := newBroker(t).start()
	js := b.jetStream()
	in := statusInlet()
	in.Batch = 2
	open := func() *natsbridge.Transport {
		transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{URL: b.url(), AckWait: time.Minute, Logger: discard})
		must(t, err)
		t.Cleanup(func() { must(t, transport.Close(context.Background())) })
		return transport
	}
	first := receive(t, open(), in)
	eventually(t, func() error {
		_, err := js.Consumer(t.Context(), in.Stream, in.Durable)
		return err
	})
	publish(t, js, "0")
	first.expect("0")
	_ = first.end()

	publish(t, js, "1", "2", "3", "4")
	consumer, err := js.Consumer(t.Context(), in.Stream, in.Durable)
	must(t, err)
	held, err := consumer.Fetch(4)
	must(t, err)
	for m := range held.Messages() {
		must(t, m.Nak()) // as of a process that was stopped while they were under way
	}
	ctx, stop := context.WithCancel(t.Context())
	err = open().Receive(ctx, in, func(context.Context, []bridge.Delivery) error {
		stop()
		return errors.New("stopped")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("receive ended with %v", err)
	}
	receive(t, open(), in).expect("1", "2", "3", "4")
}

func receiveOnce(t *testing.T, transport *natsbridge.Transport, in bridge.Inlet) error {
	i := receive(t, transport, in)
	must(t, transport.Ready(t.Context()))
	js, err := jetstream.New(transport.Conn())
	if err != nil {
		return err
	}
	eventually(t, func() error {
		_, err := js.Consumer(t.Context(), in.Stream, in.Durable)
		return err
	})
	if err := i.end(); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("receive ended with %w", err)
	}
	return nil
}

func TestTransportSaysThatALetterIsBeingWorkedOn(t *testing.T) {
	b := newBroker(t).start()
	js := b.jetStream()
	transport := newTransport(t, b)
	must(t, receiveOnce(t, transport, statusInlet()))
	publish(t, js, "1", "2")
	calls := make(chan int, 8)
	release := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- transport.Receive(ctx, statusInlet(), func(_ context.Context, batch []bridge.Delivery) error {
			calls <- batch[0].Tries
			<-release
			return nil
		})
	}()
	<-calls
	consumer, err := js.Consumer(t.Context(), "dcm-status", "cloudbus")
	must(t, err)
	// Another pull of the same name, for longer than the broker waits, gets nothing.
	others, err := consumer.Fetch(1, jetstream.FetchMaxWait(3*testAckWait))
	must(t, err)
	for m := range others.Messages() {
		t.Errorf("%q was delivered again though it is being handled", m.Data())
	}
	close(release)
	eventually(t, func() error {
		info, err := consumer.Info(t.Context())
		if err == nil && info.NumAckPending > 0 {
			err = fmt.Errorf("%d aren't acknowledged", info.NumAckPending)
		}
		return err
	})
	cancel()
	<-done
}

func TestTransportHealthNamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		streams []jetstream.StreamConfig
		want    string
	}{
		"other subjects": {[]jetstream.StreamConfig{{Name: "dcm-status", Subjects: []string{"other.*"}}}, "subjects is other.*, must be dcm.*"},
		"spread": {
			[]jetstream.StreamConfig{{Name: "VMS", Subjects: []string{"dcm.vm"}}, {Name: "PODS", Subjects: []string{"dcm.container"}}},
			"spread over the streams PODS, VMS",
		},
		"work queue": {[]jetstream.StreamConfig{{Name: "dcm-status", Subjects: []string{"dcm.*"}, Retention: jetstream.WorkQueuePolicy}}, "consumer cloudbus"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t).start()
			js := b.jetStream()
			for _, config := range c.streams {
				stream, err := js.CreateStream(t.Context(), config)
				must(t, err)
				if config.Retention == jetstream.WorkQueuePolicy {
					_, err := stream.CreateConsumer(t.Context(), jetstream.ConsumerConfig{Durable: "dcm", AckPolicy: jetstream.AckExplicitPolicy})
					must(t, err)
				}
			}
			transport := newTransport(t, b)
			receive(t, transport, statusInlet())
			eventually(t, func() error {
				var wrong *natsbridge.StreamError
				if err := transport.Health(t.Context()); !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) {
					return fmt.Errorf("health is %v, want %q", err, c.want)
				}
				return nil
			})
		})
	}
}

func TestTransportOptionsThatAreWrong(t *testing.T) {
	var wrong *bridge.OptionError
	for _, o := range []natsbridge.TransportOptions{{AckWait: time.Millisecond}, {AckTimeout: -1}, {URL: " , "}, {URL: "nats://a:b:c"}} {
		if _, err := natsbridge.NewTransport(o); !errors.As(err, &wrong) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{URL: "nats://127.0.0.1:1", Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	defer transport.Close(t.Context())
	for _, in := range []bridge.Inlet{
		{Stream: "a.b", Subjects: []string{"a"}, Durable: "d"},
		{Stream: "s", Subjects: []string{"a"}, Durable: "d e"},
		{Stream: "s", Subjects: []string{"a..b"}, Durable: "d"},
		{Stream: "s", Subjects: []string{"a.>", "a.b"}, Durable: "d"},
	} {
		if err := transport.Receive(t.Context(), in, nil); !errors.As(err, &wrong) {
			t.Errorf("%+v: %v", in, err)
		}
	}
	if err := transport.Publish(t.Context(), bridge.Letter{Subject: "a"}); !errors.Is(err, natsbridge.ErrAway) {
		t.Errorf("publish without a connection: %v", err)
	}
}
