package main

import (
	"context"
	"encoding/binary"
	"sync"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"
)

// wm is watermill's gochannel. It carries bytes: they are ready, nothing is encoded.
type wm struct {
	pubsub *gochannel.GoChannel
	done   sync.WaitGroup
}

func newWatermill(handlers []handler) (carrier, error) {
	w := &wm{pubsub: gochannel.NewGoChannel(gochannel.Config{OutputChannelBuffer: slots}, watermill.NopLogger{})}
	for _, h := range handlers {
		messages, err := w.pubsub.Subscribe(context.Background(), topic)
		if err != nil {
			return nil, err
		}
		w.done.Go(func() {
			for m := range messages {
				h(int64(binary.NativeEndian.Uint64(m.Payload)))
				m.Ack()
			}
		})
	}
	return w, nil
}

func (w *wm) publish(sent int64) {
	e := stamped(sent)
	data := make([]byte, eventSize)
	binary.NativeEndian.PutUint64(data, uint64(sent))
	if err := w.pubsub.Publish(topic, message.NewMessage(e.ID.String(), data)); err != nil {
		panic(err) // it refuses only when it is closed
	}
}

func (w *wm) close() error {
	err := w.pubsub.Close()
	w.done.Wait()
	return err
}
