package natsbridge

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	lookAgain  = time.Second     // between two looks at a stream that isn't right, and two attempts at a connection that can't even be begun
	apiTimeout = 2 * time.Second // of one look at the stream
)

// keeper holds a connection, and a gate that is open while it is up and all is there that look looks at.
type keeper struct {
	link    *link
	look    func(ctx context.Context, js jetstream.JetStream) error // why nothing can be sent, though there is a connection
	settle  func(ctx context.Context) error                         // what else is to be done, as long as it takes, before anything is sent; nil: nothing
	gate    *gate
	doubts  chan struct{} // asks for another look
	stop    context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	js       jetstream.JetStream // of the connection; nil before the first
	arriving *receipts           // of the connection, from the first publish on: who only receives may not be allowed to have any
	ended    bool                // nothing is published any more
}

func newKeeper(link *link, look func(context.Context, jetstream.JetStream) error) *keeper {
	return &keeper{link: link, look: look, gate: newGate(ErrClosed), doubts: make(chan struct{}, 1)}
}

// start begins to connect, in the background, again and again until close. It is called once.
func (k *keeper) start(ctx context.Context, log *slog.Logger) {
	k.gate.shut(ErrAway)
	ctx, k.stop = context.WithCancel(context.WithoutCancel(ctx))
	k.running.Go(func() { k.keep(ctx, log) })
}

// close ends a connection of our own.
func (k *keeper) close() {
	if k.stop != nil {
		k.stop()
	}
	k.running.Wait()
	k.gate.shut(ErrClosed)
}

// pass returns a context that ends when nothing can be sent any more, or why nothing can.
func (k *keeper) pass() (context.Context, error) {
	span, why := k.gate.pass()
	return span, k.link.explain(why)
}

// health says why nothing can be sent.
func (k *keeper) health() error {
	_, why := k.pass()
	return why
}

// doubt asks for another look.
func (k *keeper) doubt() {
	select {
	case k.doubts <- struct{}{}:
	default:
	}
}

func (k *keeper) jetStream() jetstream.JetStream {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.js
}

// publish sends m and waits for its acknowledgement, as receipts.publish does. There must have been a connection.
func (k *keeper) publish(ctx, span context.Context, m *nats.Msg, patience time.Duration) (jetstream.PubAck, error) {
	arriving, err := k.receipts()
	if err != nil {
		return jetstream.PubAck{}, err
	}
	return arriving.publish(ctx, span, m, patience)
}

// receipts are those of the connection.
func (k *keeper) receipts() (*receipts, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.ended:
		return nil, ErrClosed
	case k.arriving != nil:
		return k.arriving, nil
	}
	arriving, err := collect(k.js.Conn())
	if err != nil {
		return nil, fmt.Errorf("natsbridge: subscribe to acknowledgements: %w", err)
	}
	k.arriving = arriving
	return arriving, nil
}

// endReceipts leaves the connection without a subscription of ours. ended: there won't be another connection.
func (k *keeper) endReceipts(ended bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended = ended; k.arriving != nil {
		k.arriving.close()
		k.arriving = nil
	}
}

// keep holds a connection and the gate until ctx ends. The client gives a connection up when the server complains of what it doesn't know; then there is another.
func (k *keeper) keep(ctx context.Context, log *slog.Logger) {
	for {
		conn := k.link.connect(ctx, log)
		if conn == nil {
			return
		}
		k.hold(ctx, conn)
		if !sleep(ctx, lookAgain) {
			return
		}
	}
}

// hold follows a connection until ctx ends, or the connection has ended for good, and is our own.
func (k *keeper) hold(ctx context.Context, conn *nats.Conn) {
	defer k.link.release(conn)
	changes := conn.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED)
	defer conn.RemoveStatusListener(changes)
	js, err := jetstream.New(conn)
	if err != nil {
		k.gate.shut(fmt.Errorf("natsbridge: JetStream: %w", err))
		<-ctx.Done()
		return
	}
	k.mu.Lock()
	k.js = js
	k.mu.Unlock()
	defer func() { k.endReceipts(ctx.Err() != nil) }()
	k.follow(ctx, conn, changes)
}

// follow opens the gate when the connection is up and the look pleases, and shuts it when one doesn't. It ends with ctx, or the connection.
func (k *keeper) follow(ctx context.Context, conn *nats.Conn, changes <-chan nats.Status) {
	connected := conn.IsConnected()
	var look *look
	defer func() { look.end() }()
	var rest <-chan time.Time // after a look that didn't please
	for {
		switch {
		case !connected && k.link.over(conn):
			return
		case !connected && rest == nil:
			rest = time.After(lookAgain)
		case connected && look == nil && rest == nil && k.isShut():
			k.link.note(nil)
			look = k.startLook(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case status := <-changes:
			// Whatever was asked over the old connection is never answered.
			look, rest = look.end(), nil
			if connected = status == nats.CONNECTED; !connected {
				k.gate.shut(ErrAway)
			}
		case err := <-look.done():
			look = look.end()
			if err != nil {
				k.gate.shut(k.link.explain(err))
				rest = time.After(lookAgain)
				continue
			}
			k.gate.open()
		case <-k.doubts:
			rest = nil
		case <-rest:
			rest = nil
			// The client drops the changes that a full channel doesn't take.
			if connected = conn.IsConnected(); !connected {
				k.link.ask(conn)
			}
		}
	}
}

func (k *keeper) isShut() bool {
	_, why := k.gate.pass()
	return why != nil
}

// look is one look under way. All methods may be called on nil: there is none.
type look struct {
	result chan error
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func (k *keeper) startLook(ctx context.Context) *look {
	ctx, cancel := context.WithCancel(ctx)
	l := &look{result: make(chan error, 1), cancel: cancel}
	l.ended.Go(func() { l.result <- k.lookAndSettle(ctx) })
	return l
}

func (k *keeper) lookAndSettle(ctx context.Context) error {
	patience, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	if err := k.look(patience, k.jetStream()); err != nil || k.settle == nil {
		return err
	}
	return k.settle(ctx)
}

func (l *look) done() <-chan error {
	if l == nil {
		return nil
	}
	return l.result
}

// end waits for its end, and returns nil.
func (l *look) end() *look {
	if l != nil {
		l.cancel()
		l.ended.Wait()
	}
	return nil
}

// sleep is false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
