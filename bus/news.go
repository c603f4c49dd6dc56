package bus

import (
	"sync"
	"sync/atomic"
)

// news is one event on its way: all queues that have it share it, and the last one that is done with it gives it back.
// So a publish copies its event once, however many subscriptions there are, and allocates nothing.
type news[T any] struct {
	event Event[T]
	err   error // it couldn't be decoded
	refs  atomic.Int64
	life  uint64 // how many events it has been
	home  *sync.Pool

	// The publisher's own.
	parcel  parcel
	full    []*inbox[T]
	boxed   []boxTaker
	held    int64 // by how many queues
	refused bool  // by a subscription that was closed meanwhile
}

// publishing keeps news alive while its publisher is at work; the queues' holds are settled at the end.
const publishing = 1 << 40

// newsOf takes an empty one.
func newsOf[T any](home *sync.Pool) *news[T] {
	n, ok := home.Get().(*news[T])
	if !ok {
		n = &news[T]{home: home}
	}
	n.refs.Store(publishing)
	return n
}

// published ends the publisher's part.
func (n *news[T]) published() {
	n.parcel = parcel{}
	clear(n.full)
	clear(n.boxed)
	n.full, n.boxed, n.refused = n.full[:0], n.boxed[:0], false
	held := n.held
	n.held = 0
	n.settle(held - publishing)
}

// release ends the hold of a queue.
func (n *news[T]) release() { n.settle(-1) }

func (n *news[T]) settle(by int64) {
	if n.refs.Add(by) == 0 {
		n.event, n.err = Event[T]{}, nil
		n.life++
		n.home.Put(n)
	}
}

// note counts the hold of a queue that has taken it.
func (n *news[T]) note(o outcome) outcome {
	if o.held() {
		n.held++
	}
	return o
}

// hold keeps n as it is, if it is still in that life.
func (n *news[T]) hold(life uint64) bool {
	for {
		refs := n.refs.Load()
		if refs == 0 {
			return false
		}
		if n.refs.CompareAndSwap(refs, refs+1) {
			break
		}
	}
	if n.life == life {
		return true
	}
	n.release()
	return false
}
