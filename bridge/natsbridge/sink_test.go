package natsbridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestFromFireToTheMessageInTheStream(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url()})
	v := h.create("a.b")
	change, err := h.vms.Fire(t.Context(), v.ID, vm.StartRequested)
	must(t, err)
	eventually(t, h.published(2))

	m := broker.messages()[1]
	if m.Subject != "cloudbus.a=2Eb.vm.state.starting" {
		t.Errorf("subject %s", m.Subject)
	}
	if got := m.Header.Get("Nats-Msg-Id"); got != change.ID.String() {
		t.Errorf("Nats-Msg-Id %s, want the event's id %s", got, change.ID)
	}
	if got := m.Header.Get("Content-Type"); got != "application/cloudevents+json; charset=utf-8" {
		t.Errorf("Content-Type %s", got)
	}
	var ce event.Event
	must(t, ce.UnmarshalJSON(m.Data))
	must(t, ce.Validate())
	if ce.ID() != change.ID.String() || ce.Type() != "vm.state.starting" || ce.Source() != "cloudbus/test" || ce.Subject() != "vm/"+v.ID || !ce.Time().Equal(change.Time) {
		t.Errorf("CloudEvent %v", ce)
	}
	extensions := ce.Extensions()
	if extensions["resourceversion"] != "2" || extensions["tenant"] != "a.b" || extensions["sequence"] != "00000000000000000002" {
		t.Errorf("extensions %v", extensions)
	}
	records, err := h.store.Journal().Read(t.Context(), 1, 1)
	must(t, err)
	decoded, err := bridge.Decode(m.Data)
	must(t, err)
	if decoded.Header != records[0].Header || string(decoded.Payload) != string(records[0].Data) {
		t.Errorf("in the stream %+v %s\nin the journal %+v %s", decoded.Header, decoded.Payload, records[0].Header, records[0].Data)
	}
}

func TestOrderPerResource(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url()})
	const vms, cycles = 20, 3
	var group sync.WaitGroup
	for range vms {
		id := h.create("acme").ID
		group.Go(func() {
			for range cycles {
				for _, on := range cycle {
					if _, err := h.vms.Fire(t.Context(), id, on); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	must(t, h.bus.Flush(t.Context()))
	inOrder(t, broker, vms*(1+cycles*len(cycle)))
}

// inOrder checks that n events are in the stream, each once, those of each resource in the order of its versions.
func inOrder(t *testing.T, b *broker, n int) {
	t.Helper()
	messages := b.messages()
	if len(messages) != n {
		t.Errorf("%d messages are in the stream, want %d", len(messages), n)
	}
	versions := map[string]uint64{}
	for _, m := range messages {
		e, err := bridge.Decode(m.Data)
		must(t, err)
		if versions[e.ResourceID]++; e.Version != versions[e.ResourceID] {
			t.Fatalf("%s: version %d where %d is due", e.Subject(), e.Version, versions[e.ResourceID])
		}
	}
}

func TestBrokerAbsentAtTheStart(t *testing.T) {
	t.Parallel()
	broker := newBroker(t)
	began := time.Now()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url()})
	v := h.create("acme")
	h.fire(v.ID, cycle...)
	var away *bridge.AwayError
	eventually(t, func() error {
		if err := h.bridge.Health(t.Context()); !errors.As(err, &away) || away.Behind != 5 {
			return fmt.Errorf("health is %v", err)
		}
		return nil
	})
	if !errors.Is(away, natsbridge.ErrAway) || away.Since.Before(began) {
		t.Errorf("health %+v", away)
	}
	if _, err := h.sink.Published(t.Context(), ">"); err == nil {
		t.Error("Published counted the messages of a broker that isn't there")
	}
	broker.start()
	eventually(t, h.published(5))
	eventually(t, func() error { return h.bridge.Health(t.Context()) })
	inOrder(t, broker, 5)
}

func TestBrokerRestartedInTheMiddle(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url(), AckTimeout: time.Second})
	const vms, cycles = 6, 12
	var ids []string
	for range vms {
		ids = append(ids, h.create("acme").ID)
	}
	for n := range cycles {
		switch n {
		case cycles / 3:
			broker.stop()
		case 2 * cycles / 3:
			broker.start()
		}
		for _, id := range ids {
			h.fire(id, cycle...)
		}
	}
	eventually(t, h.published(vms*(1+cycles*uint64(len(cycle)))))
	inOrder(t, broker, vms*(1+cycles*len(cycle)))
}

func TestServerContinuesAtItsCursor(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	file := database(t)
	h := newHouse(t, file, natsbridge.Options{URL: broker.url()})
	v := h.create("acme")
	h.fire(v.ID, cycle...)
	eventually(t, h.published(5))

	broker.stop()
	h.fire(v.ID, cycle...)
	h.close()

	broker.start()
	h = newHouse(t, file, natsbridge.Options{URL: broker.url()})
	h.fire(v.ID, cycle...)
	eventually(t, h.published(13))
	inOrder(t, broker, 13)
}

func TestRepeatsAfterACrashAreDropped(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	file := database(t)
	h := newHouse(t, file, natsbridge.Options{URL: broker.url()})
	v := h.create("acme")
	h.fire(v.ID, cycle...)
	eventually(t, h.published(5))
	must(t, h.bus.Flush(t.Context()))
	must(t, h.manager.Close(t.Context()))
	// As if the process had died before the cursor was written.
	must(t, h.store.Writer().Rewind(t.Context(), h.bridge.Name(), 1))
	h.close()

	h = newHouse(t, file, natsbridge.Options{URL: broker.url()})
	h.fire(v.ID, vm.StartRequested)
	must(t, h.bus.Flush(t.Context()))
	inOrder(t, broker, 6)
}

func TestCloseIsPromptWhileTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	broker := newBroker(t)
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url()})
	h.create("acme")
	eventually(t, func() error {
		if h.bridge.Health(t.Context()) == nil {
			return errors.New("healthy")
		}
		return nil
	})
	began := time.Now()
	h.close()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Close took %v", took)
	}
}

func TestTooLargeMessageIsParked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server func(*server.Options)
		stream func(*jetstream.StreamConfig)
	}{
		"for the server": {func(o *server.Options) { o.MaxPayload = 4096 }, func(*jetstream.StreamConfig) {}},
		"for the stream": {func(*server.Options) {}, func(c *jetstream.StreamConfig) { c.MaxMsgSize = 4096 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broker := newBroker(t, c.server).start()
			config := jetstream.StreamConfig{Name: "cloudbus", Subjects: []string{"cloudbus.>"}, Storage: jetstream.FileStorage}
			c.stream(&config)
			_, err := broker.jetStream().CreateStream(t.Context(), config)
			must(t, err)
			h := newHouse(t, database(t), natsbridge.Options{URL: broker.url()})
			v := h.create("acme")
			_, err = h.vms.Update(t.Context(), v.ID, func(v *vm.VM) error { v.HostID = strings.Repeat("x", 8192); return nil })
			must(t, err)
			eventually(t, func() error {
				var parked *bridge.ParkedError
				if err := h.bridge.Health(t.Context()); !errors.As(err, &parked) || parked.Resources[0].ResourceID != v.ID {
					return fmt.Errorf("health is %v", err)
				}
				return nil
			})
			must(t, h.published(1)())
		})
	}
}

func TestInProcess(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, func(o *server.Options) { o.DontListen = true }).start()
	h := newHouse(t, database(t), natsbridge.Options{InProcess: broker.server})
	h.create("acme")
	eventually(t, h.published(1))
}

func TestConnectionOfTheCaller(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	conn, err := nats.Connect(broker.url(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	must(t, err)
	defer conn.Close()
	h := newHouse(t, database(t), natsbridge.Options{Conn: conn})
	v := h.create("acme")
	eventually(t, h.published(1))
	broker.stop()
	h.fire(v.ID, cycle...)
	broker.start()
	eventually(t, h.published(5))
	h.close()
	if !conn.IsConnected() {
		t.Error("the caller's connection was closed")
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, func(o *server.Options) { o.Username, o.Password = "cloudbus", "right" }).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url(), Connection: []nats.Option{nats.UserInfo("cloudbus", "wrong")}})
	h.create("acme")
	eventually(t, func() error {
		if err := h.bridge.Health(t.Context()); err == nil || !strings.Contains(strings.ToLower(err.Error()), "authorization") {
			return fmt.Errorf("health is %v", err)
		}
		return nil
	})
	broker.stop()
	broker.options.Password = "wrong"
	broker.start()
	eventually(t, h.published(1))
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	for name, denied := range map[string]string{"to publish": "cloudbus.>", "to see the stream": "$JS.API.STREAM.INFO.>"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broker := newBroker(t, func(o *server.Options) {
				o.Users = []*server.User{
					{Username: "cloudbus", Password: "x", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{denied}}}},
				}
			}).start()
			h := newHouse(t, database(t), natsbridge.Options{URL: broker.url(), AckTimeout: 200 * time.Millisecond, Connection: []nats.Option{nats.UserInfo("cloudbus", "x")}})
			h.create("acme")
			eventually(t, func() error {
				if err := h.bridge.Health(t.Context()); !errors.Is(err, nats.ErrPermissionViolation) {
					return fmt.Errorf("health is %v", err)
				}
				return nil
			})
		})
	}
}

func TestSinkBeforeOpenAndAfterClose(t *testing.T) {
	t.Parallel()
	sink, err := natsbridge.New(natsbridge.Options{})
	must(t, err)
	check := func() {
		t.Helper()
		if err := sink.Send(t.Context(), bridge.Message{}); !errors.Is(err, natsbridge.ErrClosed) {
			t.Errorf("Send: %v", err)
		}
		if err := sink.Health(t.Context()); !errors.Is(err, natsbridge.ErrClosed) {
			t.Errorf("Health: %v", err)
		}
		if _, err := sink.Published(t.Context(), ">"); !errors.Is(err, natsbridge.ErrClosed) {
			t.Errorf("Published: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := sink.Ready(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Ready: %v", err)
		}
	}
	check()
	must(t, sink.Close(t.Context()))
	check()
}

func TestSinkIsForOneBridge(t *testing.T) {
	t.Parallel()
	sink, err := natsbridge.New(natsbridge.Options{URL: newBroker(t).url()})
	must(t, err)
	log := slog.New(slog.DiscardHandler)
	must(t, sink.Open(t.Context(), log))
	if err := sink.Open(t.Context(), log); !errors.Is(err, natsbridge.ErrOpened) {
		t.Errorf("a second Open: %v", err)
	}
	must(t, sink.Close(t.Context()))
	if err := sink.Open(t.Context(), log); !errors.Is(err, natsbridge.ErrOpened) {
		t.Errorf("Open after Close: %v", err)
	}
}

// A server ends the connection over a line that is too long, and the client gives up such a connection for good.
func TestSubjectThatIsTooLongIsRejectedAndCostsNobodyElseAnything(t *testing.T) {
	t.Parallel()
	b := newBroker(t).start()
	sink, err := natsbridge.New(natsbridge.Options{URL: b.url()})
	must(t, err)
	must(t, sink.Open(t.Context(), discard))
	defer sink.Close(t.Context())
	must(t, sink.Ready(t.Context()))
	transport := newTransport(t, b)
	must(t, transport.Ready(t.Context()))
	core := newCore(t, natsbridge.CoreOptions{URL: b.url()})
	long := "cloudbus." + strings.Repeat("=C3", 1024) + "." + strings.Repeat("x", 1000)
	for name, send := range map[string]func(id, subject string) error{
		"sink": func(id, subject string) error {
			return sink.Send(t.Context(), bridge.Message{ID: id, Subject: subject})
		},
		"core": func(id, subject string) error {
			return core.Send(t.Context(), bridge.Message{ID: id, Subject: subject})
		},
		"publish": func(id, subject string) error {
			return transport.Publish(t.Context(), bridge.Letter{ID: id, Subject: subject})
		},
		"send": func(id, subject string) error {
			return transport.Send(t.Context(), bridge.Letter{ID: id, Subject: subject})
		},
	} {
		var rejected *bridge.RejectedError
		if err := send(name+"1", long); !errors.As(err, &rejected) {
			t.Errorf("%s: %v, want a RejectedError", name, err)
		}
		must(t, send(name+"2", "cloudbus."+strings.Repeat("x", 3900)))
	}
	must(t, transport.Conn().Flush())
	if v, err := b.server.Varz(nil); err != nil || v.TotalConnections != 3 {
		t.Errorf("%d connections were made, want 3 (%v)", v.TotalConnections, err)
	}
}

func TestConnectionThatTheServerEndsForGoodIsMadeAnew(t *testing.T) {
	t.Parallel()
	b := newBroker(t).start()
	way := newWay(t, b)
	h := newHouse(t, database(t), natsbridge.Options{URL: "nats://" + way.address})
	id := h.create("acme").ID
	eventually(t, h.published(1))
	transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{URL: "nats://" + way.address, AckWait: testAckWait, Logger: discard})
	must(t, err)
	defer transport.Close(context.Background())
	in := receive(t, transport, statusInlet())
	js := b.jetStream()
	eventually(t, func() error {
		_, err := js.Consumer(t.Context(), "dcm-status", "cloudbus")
		return err
	})

	way.tell("-ERR 'Something New'\r\n")
	h.fire(id, cycle...)
	eventually(t, h.published(5))
	eventually(t, func() error { return h.bridge.Health(t.Context()) })
	publish(t, js, "one")
	in.expect("one")
}
