package natsbridge_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/nats-io/nats.go/jetstream"
)

// lossy is a house on a broker whose stream has five events that a checkpoint covers.
func lossy(t *testing.T) (b *broker, h *house, file, id string) {
	t.Helper()
	b = newBroker(t).start()
	file = database(t)
	h = newHouse(t, file, natsbridge.Options{URL: b.url()})
	id = h.create("acme").ID
	h.fire(id, cycle...)
	eventually(t, h.published(5))
	eventually(t, h.checkpointAt(5))
	return b, h, file, id
}

// checkpointAt is nil when the newest checkpoint covers the journal up to seq.
func (h *house) checkpointAt(seq uint64) func() error {
	return func() error {
		var newest uint64
		err := h.store.Writer().DB().Raw("SELECT MAX(seq) FROM bridge_checkpoints WHERE stream <> ''").Row().Scan(&newest)
		if err == nil && newest != seq {
			err = fmt.Errorf("the newest checkpoint is at %d, want %d", newest, seq)
		}
		return err
	}
}

// copyStore returns a copy of the store of a broker that doesn't run.
func (b *broker) copyStore() string {
	b.t.Helper()
	to := filepath.Join(b.t.TempDir(), "copy")
	must(b.t, os.CopyFS(to, os.DirFS(b.options.StoreDir)))
	return to
}

func TestStreamThatLostItsEndGetsItAgain(t *testing.T) {
	t.Parallel()
	broker, h, _, id := lossy(t)
	broker.stop()
	old := broker.copyStore()
	broker.start()
	h.fire(id, cycle...)
	eventually(t, h.published(9))
	broker.stop()
	broker.options.StoreDir = old
	broker.start()
	eventually(t, h.published(9))
	inOrder(t, broker, 9)
	h.fire(id, cycle...)
	eventually(t, h.published(13))
	inOrder(t, broker, 13)
}

func TestStreamThatLostItsEndWhileTheServerWasDownGetsItAgain(t *testing.T) {
	t.Parallel()
	broker, h, file, id := lossy(t)
	broker.stop()
	old := broker.copyStore()
	broker.start()
	h.fire(id, cycle...)
	eventually(t, h.published(9))
	h.close()
	broker.stop()
	broker.options.StoreDir = old
	broker.start()
	// Numbers are given again: what tells is the message's id.
	js := broker.jetStream()
	for n := range 6 {
		_, err := js.Publish(t.Context(), "cloudbus._.news.told", []byte("{}"), jetstream.WithMsgID(fmt.Sprint(n)))
		must(t, err)
	}
	h = newHouse(t, file, natsbridge.Options{URL: broker.url()})
	eventually(t, h.published(9))
	h.fire(id, cycle...)
	eventually(t, h.published(13))
}

func TestStreamThatWasPurgedStaysSo(t *testing.T) {
	t.Parallel()
	broker, h, file, id := lossy(t)
	h.close()
	stream, err := broker.jetStream().Stream(t.Context(), "cloudbus")
	must(t, err)
	must(t, stream.Purge(t.Context()))
	h = newHouse(t, file, natsbridge.Options{URL: broker.url()})
	h.fire(id, cycle...)
	eventually(t, h.published(4))
	must(t, stream.Purge(t.Context()))
	broker.stop()
	broker.start()
	h.fire(id, cycle...)
	must(t, h.bus.Flush(t.Context()))
	must(t, h.published(4)())
}

func TestStreamThatWasMadeAnewGetsTheHorizon(t *testing.T) {
	t.Parallel()
	broker, h, _, id := lossy(t)
	broker.stop()
	broker.options.StoreDir = t.TempDir()
	h.fire(id, cycle...)
	broker.start()
	eventually(t, h.published(9))
	inOrder(t, broker, 9)
	eventually(t, func() error { return h.bridge.Health(t.Context()) })
}

func TestNothingIsSentAgainAfterACleanRestart(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	file := database(t)
	const window = 100 * time.Millisecond
	o := natsbridge.Options{URL: broker.url(), Duplicates: window}
	h := newHouse(t, file, o)
	id := h.create("acme").ID
	h.fire(id, cycle...)
	eventually(t, h.published(5))
	h.close()
	stream, err := broker.jetStream().Stream(t.Context(), "cloudbus")
	must(t, err)
	last := stream.CachedInfo().State.LastTime
	eventually(t, func() error { // the stream has forgotten the ids
		if time.Since(last) < 2*window {
			return fmt.Errorf("too early")
		}
		return nil
	})
	h = newHouse(t, file, o)
	h.fire(id, cycle...)
	must(t, h.bus.Flush(t.Context()))
	inOrder(t, broker, 9)
	broker.stop()
	broker.start()
	h.fire(id, cycle...)
	eventually(t, h.published(13))
	inOrder(t, broker, 13)
}

func TestRetentionKeepsTheHorizon(t *testing.T) {
	t.Parallel()
	_, h, _, _ := lossy(t)
	eventually(t, func() error {
		cursor, known, err := h.store.Journal().Cursor(context.Background(), h.bridge.Name()+"_horizon")
		if err == nil && (!known || cursor != 0) {
			err = fmt.Errorf("the horizon's cursor is at %d, known: %t", cursor, known)
		}
		return err
	})
}

func TestBridgeThatWasForgottenBeginsAnew(t *testing.T) {
	t.Parallel()
	broker, h, file, id := lossy(t)
	must(t, h.manager.Close(t.Context()))
	must(t, h.store.Writer().Forget(t.Context(), h.bridge.Name()))
	h.fire(id, cycle...)
	h.close()
	h = newHouse(t, file, natsbridge.Options{URL: broker.url()})
	eventually(t, func() error { return h.bridge.Health(t.Context()) })
	h.fire(id, cycle...)
	eventually(t, h.checkpointAt(13))
	must(t, h.published(9)()) // not what happened while there was no bridge
}
