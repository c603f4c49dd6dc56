package amqpbridge_test

import (
	"net"
	"sync"
	"testing"
)

// proxy is the way to a broker; without it the broker is away.
type proxy struct {
	to      string
	address string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	held     chan struct{} // what the broker says doesn't come through until it is closed; nil: it does
	copies   sync.WaitGroup
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	p := &proxy{to: to, address: "127.0.0.1:0", conns: map[net.Conn]bool{}}
	must(t, p.start())
	t.Cleanup(func() { must(t, p.stop()) })
	return p
}

func (p *proxy) start() error {
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		return err
	}
	p.listener, p.address = l, l.Addr().String()
	p.copies.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", p.to)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.join(client, server)
		}
	})
	return nil
}

func (p *proxy) join(client, server net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[client], p.conns[server] = true, true
	p.copies.Go(func() { p.copy(server, client, false) })
	p.copies.Go(func() { p.copy(client, server, true) })
}

func (p *proxy) copy(to, from net.Conn, answers bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		held := p.held
		p.mu.Unlock()
		if answers && held != nil {
			<-held
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// stop cuts the way, and takes nobody any more.
func (p *proxy) stop() error {
	if p.listener == nil {
		return nil
	}
	err := p.listener.Close()
	p.listener = nil
	p.mu.Lock()
	for conn := range p.conns {
		_ = conn.Close()
	}
	clear(p.conns)
	p.mu.Unlock()
	p.copies.Wait()
	return err
}

// hang keeps what the broker says to itself.
func (p *proxy) hang() (resume func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := make(chan struct{})
	p.held = held
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.held = nil
		close(held)
	}, nil
}
