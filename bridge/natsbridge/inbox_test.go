package natsbridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// mayListen gives the broker a user, cloudbus, who may subscribe to these subjects and no others, and publish anywhere.
func mayListen(subjects ...string) func(*server.Options) {
	return func(o *server.Options) {
		allowed := &server.SubjectPermission{Allow: subjects}
		if len(subjects) == 0 {
			allowed.Deny = []string{">"}
		}
		o.Users = []*server.User{
			{Username: "cloudbus", Password: secret, Permissions: &server.Permissions{Subscribe: allowed}},
			{Username: "admin", Password: secret},
		}
	}
}

var cloudbusLogin = natsbridge.Login{User: "cloudbus", Password: secret}

// subscriptionsOf counts those that the user's connections have, the broker's own aside.
func (b *broker) subscriptionsOf(user string) (n int) {
	b.t.Helper()
	connz, err := b.server.Connz(&server.ConnzOptions{Username: true, Subscriptions: true})
	must(b.t, err)
	for _, c := range connz.Conns {
		if c.AuthorizedUser == user {
			n += len(c.Subs)
		}
	}
	return n
}

func TestCoreNeedsNoInbox(t *testing.T) {
	t.Parallel()
	b := newBroker(t, mayListen(), func(o *server.Options) {
		o.Users[0].Permissions.Publish = &server.SubjectPermission{Deny: []string{"cloudbus.denied.>"}}
	}).start()
	log := &safeBuffer{}
	sink, err := natsbridge.NewCore(natsbridge.CoreOptions{URL: b.url(), Login: cloudbusLogin})
	must(t, err)
	must(t, sink.Open(t.Context(), slog.New(slog.NewTextHandler(log, nil))))
	defer sink.Close(t.Context())
	must(t, sink.Ready(t.Context()))
	must(t, sink.Send(t.Context(), bridge.Message{ID: "1", Subject: "cloudbus._.vm.created", Data: []byte("{}")}))
	must(t, sink.Health(t.Context()))
	// The log is written in order, but not at once: what follows in it is waited for.
	denied := bridge.Message{ID: "2", Subject: "cloudbus.denied.vm.created", Data: []byte("{}")}
	if err := sink.Send(t.Context(), denied); !errors.Is(err, nats.ErrPermissionViolation) {
		t.Errorf("Send on a subject that is denied: %v", err)
	}
	eventually(t, func() error {
		if !strings.Contains(log.String(), denied.Subject) {
			return errors.New("the log doesn't say that a subject is denied")
		}
		return nil
	})
	if strings.Contains(log.String(), "Subscription") || b.subscriptionsOf("cloudbus") > 0 {
		t.Errorf("%d subscriptions; the log is %s", b.subscriptionsOf("cloudbus"), log)
	}
}

func TestTransportThatPublishesNothingHasNoInboxForIt(t *testing.T) {
	t.Parallel()
	b := newBroker(t, mayListen("_INBOX.>")).start()
	transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{URL: b.url(), Login: cloudbusLogin, Logger: discard})
	must(t, err)
	defer transport.Close(context.Background())
	must(t, transport.Ready(t.Context()))
	must(t, transport.Send(t.Context(), bridge.Letter{ID: "1", Subject: "dcm.vm", Data: []byte("{}")}))
	must(t, transport.Conn().Flush())
	if n := b.subscriptionsOf("cloudbus"); n > 0 {
		t.Errorf("it has %d subscriptions", n)
	}
}

func TestInboxOfOnesOwnIsEnough(t *testing.T) {
	t.Parallel()
	b := newBroker(t, mayListen("mine.>")).start()
	own := []nats.Option{nats.CustomInboxPrefix("mine")}

	h := newHouse(t, database(t), natsbridge.Options{URL: b.url(), Login: cloudbusLogin, Connection: own})
	h.create("acme")
	eventually(t, func() error {
		if s := h.bridge.Stats(); s.Sent != 1 {
			return fmt.Errorf("%d messages were acknowledged; health is %v", s.Sent, h.bridge.Health(t.Context()))
		}
		return nil
	})

	transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{URL: b.url(), Login: cloudbusLogin, Connection: own, AckWait: testAckWait, Logger: discard})
	must(t, err)
	defer transport.Close(context.Background())
	in := receive(t, transport, statusInlet())
	eventually(t, func() error {
		return transport.Publish(t.Context(), bridge.Letter{ID: "1", Subject: "dcm.vm", Data: []byte("one")})
	})
	in.expect("one")
}

func TestConnectionOfTheCallerIsLeftWithoutSubscriptions(t *testing.T) {
	t.Parallel()
	b := newBroker(t).start()
	conn, err := nats.Connect(b.url())
	must(t, err)
	defer conn.Close()
	h := newHouse(t, database(t), natsbridge.Options{Conn: conn})
	h.create("acme")
	eventually(t, h.published(1))
	before := conn.NumSubscriptions()
	h.close()
	eventually(t, func() error {
		// What is left is nats.go's own, for its requests.
		if n := conn.NumSubscriptions(); n != before-1 {
			return fmt.Errorf("%d subscriptions are left of %d", n, before)
		}
		return nil
	})
	if err := h.sink.Send(t.Context(), bridge.Message{ID: "1", Subject: "cloudbus._.vm.created"}); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("Send after Close: %v", err)
	}
}
