package natsbridge_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// mayNotPublish gives the broker a user, cloudbus, who may not publish on these subjects.
func mayNotPublish(subjects ...string) func(*server.Options) {
	return func(o *server.Options) {
		o.JetStream = false
		o.Users = []*server.User{
			{Username: "cloudbus", Password: secret, Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: subjects}}},
			{Username: "admin", Password: secret},
		}
	}
}

func newCore(t *testing.T, o natsbridge.CoreOptions) *natsbridge.Core {
	t.Helper()
	sink, err := natsbridge.NewCore(o)
	must(t, err)
	must(t, sink.Open(t.Context(), discard))
	t.Cleanup(func() { must(t, sink.Close(t.Context())) })
	must(t, sink.Ready(t.Context()))
	return sink
}

func TestCoreSaysOfEachMessageWhetherItMayBePublished(t *testing.T) {
	t.Parallel()
	const senders, each = 24, 40
	b := newBroker(t, mayNotPublish("cloudbus.denied.>")).start()
	listener, err := nats.Connect(b.url(), nats.UserInfo("admin", secret))
	must(t, err)
	defer listener.Close()
	heard, err := listener.SubscribeSync("cloudbus.>")
	must(t, err)
	must(t, listener.Flush())
	sink := newCore(t, natsbridge.CoreOptions{URL: b.url(), Login: cloudbusLogin})

	var running sync.WaitGroup
	for n := range senders {
		running.Go(func() {
			denied := n%3 > 0
			for i := range each {
				m := bridge.Message{ID: fmt.Sprintf("%d-%d", n, i), Subject: fmt.Sprintf("cloudbus.acme.vm.state%d", n), Data: []byte("{}")}
				if denied {
					m.Subject = fmt.Sprintf("cloudbus.denied.vm.state%d", n)
				}
				if err := sink.Send(t.Context(), m); errors.Is(err, nats.ErrPermissionViolation) != denied || !denied && err != nil {
					t.Errorf("%s: %v", m.Subject, err)
				}
			}
		})
	}
	running.Wait()
	must(t, listener.Flush())
	ids := map[string]bool{}
	for n, _, _ := heard.Pending(); n > 0; n-- {
		m, err := heard.NextMsgWithContext(t.Context())
		must(t, err)
		ids[m.Header.Get("Nats-Msg-Id")] = true
	}
	if len(ids) != senders/3*each {
		t.Errorf("%d messages came, want %d", len(ids), senders/3*each)
	}
}

func TestCorePublishesWhatWasDeniedAsSoonAsItIsAllowed(t *testing.T) {
	t.Parallel()
	b := newBroker(t, mayNotPublish("cloudbus.acme.>")).start()
	sink := newCore(t, natsbridge.CoreOptions{URL: b.url(), Login: cloudbusLogin})
	m := bridge.Message{ID: "1", Subject: "cloudbus.acme.vm.created", Data: []byte("{}")}
	if err := sink.Send(t.Context(), m); !errors.Is(err, nats.ErrPermissionViolation) {
		t.Fatalf("Send on a subject that is denied: %v", err)
	}
	mayNotPublish("cloudbus.nobody.>")(&b.options)
	o := b.options
	must(t, b.server.ReloadOptions(&o))
	must(t, sink.Send(t.Context(), m))
}
