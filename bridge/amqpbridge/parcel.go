package amqpbridge

import (
	"sync"

	"github.com/cloudbus-go/cloudbus/bridge"
	amqp "github.com/rabbitmq/amqp091-go"
)

// parcel is a message on its way to the broker. It outlives the Send that brought it: the next one of the same message waits for the same parcel.
type parcel struct {
	id         string
	key        string
	publishing amqp.Publishing
	alone      bool // to be sent on a channel of its own

	once    sync.Once
	settled chan struct{} // closed when the outcome is known
	err     error         // the outcome; to be read after settled
}

func newParcel(m bridge.Message, alone bool) *parcel {
	return &parcel{id: m.ID, key: m.Subject, publishing: publishing(m), alone: alone, settled: make(chan struct{})}
}

// settle notes the outcome; the first counts.
func (p *parcel) settle(err error) {
	p.once.Do(func() {
		p.err = err
		close(p.settled)
	})
}

func (p *parcel) isSettled() bool {
	select {
	case <-p.settled:
		return true
	default:
		return false
	}
}
