package natsbridge_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
)

// sender returns the house that sends, of those on one database.
func sender(t *testing.T, houses ...*house) (at *house) {
	t.Helper()
	eventually(t, func() error {
		for _, h := range houses {
			for _, s := range h.bus.Inspect().Subscriptions {
				if s.Name == h.bridge.Name() && s.State == "running" {
					at = h
					return nil
				}
			}
		}
		return errors.New("nobody sends")
	})
	return at
}

func TestServersOfOneDatabaseSendAgainWhatTheStreamLost(t *testing.T) {
	t.Parallel()
	database := postgrestest.Schema(t)
	broker := newBroker(t).start()
	o := natsbridge.Options{URL: broker.url()}
	a, b := newHouse(t, database, o), newHouse(t, database, o)
	id := a.create("acme").ID
	a.fire(id, cycle...)
	eventually(t, a.published(5))
	eventually(t, a.checkpointAt(5))
	broker.stop()
	old := broker.copyStore()
	broker.start()
	a.fire(id, cycle...)
	eventually(t, a.published(9))

	t.Log("the stream loses its end while both run")
	broker.stop()
	broker.options.StoreDir = old
	older := broker.copyStore()
	broker.start()
	eventually(t, a.published(9))
	inOrder(t, broker, 9)
	b.fire(id, cycle...)
	eventually(t, b.published(13))
	inOrder(t, broker, 13)
	for _, h := range []*house{a, b} {
		eventually(t, func() error { return h.bridge.Health(t.Context()) })
	}

	t.Log("and again, while the one that has sent is away")
	eventually(t, a.checkpointAt(13))
	first, second := sender(t, a, b), a
	if first == a {
		second = b
	}
	broker.stop()
	first.close()
	broker.options.StoreDir = older
	broker.start()
	eventually(t, second.published(13))
	inOrder(t, broker, 13)
	second.fire(id, cycle...)
	eventually(t, second.published(17))
	inOrder(t, broker, 17)
}

func TestServersOfOneDatabaseWithoutABrokerSayThatItIsAway(t *testing.T) {
	t.Parallel()
	database := postgrestest.Schema(t)
	broker := newBroker(t)
	o := natsbridge.Options{URL: broker.url()}
	a, b := newHouse(t, database, o), newHouse(t, database, o)
	id := b.create("acme").ID
	b.fire(id, cycle...)
	at := sender(t, a, b)
	eventually(t, func() error {
		var away *bridge.AwayError
		if err := at.bridge.Health(t.Context()); !errors.As(err, &away) || away.Behind != 5 {
			return fmt.Errorf("health is %w", err)
		}
		return nil
	})
	broker.start()
	eventually(t, at.published(5))
	inOrder(t, broker, 5)
	eventually(t, func() error { return at.bridge.Health(t.Context()) })
}
