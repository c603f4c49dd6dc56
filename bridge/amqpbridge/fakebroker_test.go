package amqpbridge_test

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// fakeBroker is a broker that answers as the test says. It knows one exchange, and queues don't matter to it.
type fakeBroker struct {
	t        testing.TB
	listener net.Listener
	address  string
	password string      // of any user; "" takes all
	tls      *tls.Config // nil: none

	// answer says what becomes of a published message; nil confirms it. It is called from many goroutines at once.
	answer func(post) verdict

	mu       sync.Mutex
	exchange string // its type; "" until it is declared
	taken    []post // confirmed
	posts    int
	logins   int
	conns    map[*fakeConn]bool
	serving  sync.WaitGroup
}

// post is a message that was published.
type post struct {
	id, key string
	size    int
	channel uint16
	nth     int // how many were published before it, to this broker
}

// verdict on a message. The zero value confirms it.
type verdict struct {
	silent     bool
	nack       bool
	unroutable bool
	code       int // of the exception that ends the channel
	text       string
	blocked    string // why publishers are blocked from now on; the message waits until they aren't
}

func newFakeBroker(t testing.TB) *fakeBroker {
	t.Helper()
	b := &fakeBroker{t: t, address: "127.0.0.1:0", conns: map[*fakeConn]bool{}}
	t.Cleanup(b.stop)
	return b
}

func (b *fakeBroker) start() *fakeBroker {
	b.t.Helper()
	l, err := net.Listen("tcp", b.address)
	must(b.t, err)
	b.address = l.Addr().String()
	if b.tls != nil {
		l = tls.NewListener(l, b.tls)
	}
	b.listener = l
	b.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c := &fakeConn{broker: b, conn: conn, tags: map[uint16]uint64{}, unblocked: make(chan struct{})}
			b.mu.Lock()
			b.conns[c] = true
			b.mu.Unlock()
			b.serving.Go(c.serve)
		}
	})
	return b
}

func (b *fakeBroker) stop() {
	if b.listener == nil {
		return
	}
	_ = b.listener.Close()
	b.cut()
	b.serving.Wait()
	b.listener = nil
}

// cut ends all connections without a word.
func (b *fakeBroker) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		_ = c.conn.Close()
		c.release()
	}
}

// unblock takes messages again.
func (b *fakeBroker) unblock() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		c.release()
	}
}

func (b *fakeBroker) url() string { return "amqp://guest:guest@" + b.address + "/" }

func (b *fakeBroker) ids() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	for _, p := range b.taken {
		ids = append(ids, p.id)
	}
	return ids
}

func (b *fakeBroker) count(n *int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *n
}

func (b *fakeBroker) judge(p post) verdict {
	b.mu.Lock()
	p.nth = b.posts
	b.posts++
	b.mu.Unlock()
	if b.answer == nil {
		return verdict{}
	}
	return b.answer(p)
}

// fakeConn is one connection of a client.
type fakeConn struct {
	broker *fakeBroker
	conn   net.Conn
	write  sync.Mutex
	tags   map[uint16]uint64 // by channel

	once      sync.Once
	unblocked chan struct{}
}

func (c *fakeConn) release() { c.once.Do(func() { close(c.unblocked) }) }

func (c *fakeConn) send(channel uint16, m method, a args) {
	c.sendFrames(methodFrame(channel, m, a))
}

func (c *fakeConn) sendFrames(frames ...frame) {
	c.write.Lock()
	defer c.write.Unlock()
	for _, f := range frames {
		if _, err := c.conn.Write(f.bytes()); err != nil {
			return
		}
	}
}

func (c *fakeConn) serve() {
	defer func() {
		_ = c.conn.Close()
		c.broker.mu.Lock()
		delete(c.broker.conns, c)
		c.broker.mu.Unlock()
	}()
	var greeting [8]byte
	if _, err := io.ReadFull(c.conn, greeting[:]); err != nil {
		return
	}
	c.send(0, connStart, args{}.octet(0).octet(9).long(0).longstr("PLAIN").longstr("en_US"))
	for {
		f, err := readFrame(c.conn)
		if err == nil {
			err = c.handle(f)
		}
		if err != nil {
			return
		}
	}
}

var errBye = errors.New("good-bye")

func (c *fakeConn) handle(f frame) error {
	if f.kind != frameMethod {
		return nil
	}
	switch f.method() {
	case connStartOk:
		c.broker.mu.Lock()
		c.broker.logins++
		c.broker.mu.Unlock()
		if c.broker.password != "" && !strings.Contains(string(f.payload), "\x00guest\x00"+c.broker.password) {
			c.send(0, connClose, args{}.short(replyAccessRefused).str("ACCESS_REFUSED - Login was refused").long(0))
			return nil
		}
		c.send(0, connTune, args{}.short(100).long(131072).short(0))
	case connOpen:
		c.send(0, connOpenOk, args{}.str(""))
	case connClose:
		c.send(0, connCloseOk, nil)
		return errBye
	case connCloseOk:
		return errBye
	case chanOpen:
		c.tags[f.channel] = 0
		c.send(f.channel, chanOpenOk, args{}.long(0))
	case chanClose:
		c.send(f.channel, chanCloseOk, nil)
	case confirmSelect:
		c.send(f.channel, confirmSelectOk, nil)
	case exchangeDeclare:
		c.declare(f)
	case basicPublish:
		return c.published(f)
	}
	return nil
}

func (c *fakeConn) declare(f frame) {
	r := &reader{f.payload[6:]}
	name, kind := r.str(), r.str()
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	if c.broker.exchange == "" {
		c.broker.exchange = kind
	}
	if have := c.broker.exchange; have != kind {
		c.end(f.channel, replyPreconditionFailed, "PRECONDITION_FAILED - inequivalent arg 'type' for exchange '"+name+"': received '"+kind+"' but current is '"+have+"'")
		return
	}
	c.send(f.channel, exchangeDeclareOk, nil)
}

func (c *fakeConn) end(channel uint16, code int, text string) {
	c.send(channel, chanClose, args{}.short(code).str(text).long(0))
	delete(c.tags, channel)
}

func (c *fakeConn) published(f frame) error {
	r := &reader{f.payload[6:]}
	exchange, key := r.str(), r.str()
	header, err := readFrame(c.conn)
	if err != nil {
		return err
	}
	size := int(binary.BigEndian.Uint64(header.payload[4:]))
	frames := []frame{methodFrame(f.channel, basicReturn, args{}.short(312).str("NO_ROUTE").str(exchange).str(key)), header}
	for left := size; left > 0; {
		body, err := readFrame(c.conn)
		if err != nil {
			return err
		}
		left -= len(body.payload)
		frames = append(frames, body)
	}
	if _, open := c.tags[f.channel]; !open {
		return nil // what comes on a channel that has ended is dropped
	}
	c.tags[f.channel]++
	p := post{id: messageID(header.payload), key: key, size: size, channel: f.channel}
	c.settle(p, frames, c.broker.judge(p))
	return nil
}

func (c *fakeConn) settle(p post, back []frame, v verdict) {
	tag := c.tags[p.channel]
	switch {
	case v.silent:
		return
	case v.code != 0:
		c.end(p.channel, v.code, v.text)
		return
	case v.nack:
		c.send(p.channel, basicNack, args{}.longlong(tag).octet(0))
		return
	case v.blocked != "":
		// Like RabbitMQ: it says so, and then doesn't even read what comes.
		c.send(0, connBlocked, args{}.str(v.blocked))
		<-c.unblocked
		c.send(0, connUnblocked, nil)
	case v.unroutable:
		c.sendFrames(back...)
	}
	if !v.unroutable {
		c.broker.mu.Lock()
		c.broker.taken = append(c.broker.taken, p)
		c.broker.mu.Unlock()
	}
	c.send(p.channel, basicAck, args{}.longlong(tag).octet(0))
}
