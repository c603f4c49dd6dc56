package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a child as its parent sees it.
type process struct {
	orders orders
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	log    *os.File
	ended  chan struct{}
	err    error // how it ended; valid once ended is closed

	mu   sync.Mutex
	said map[string]chan struct{} // closed when the child has said it
	rest map[string]string        // what followed
}

// startProcess runs this binary as a child.
func startProcess(o orders) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	environment, err := o.environment()
	if err != nil {
		return nil, err
	}
	p := &process{orders: o, cmd: exec.Command(self), ended: make(chan struct{}), said: map[string]chan struct{}{}, rest: map[string]string{}}
	p.cmd.Env = append(os.Environ(), environment)
	if p.log, err = os.Create(logFile(o.Dir, o.Life)); err != nil {
		return nil, err
	}
	p.cmd.Stderr = p.log
	stdout, err := p.cmd.StdoutPipe()
	if err == nil {
		p.stdin, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, p.log.Close())
	}
	go p.listen(stdout)
	return p, nil
}

// listen notes what the child says, and how it ends.
func (p *process) listen(stdout io.Reader) {
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		if word == saidDone {
			word += " " + rest
		}
		p.mu.Lock()
		p.rest[word] = rest
		p.mu.Unlock()
		p.heard(word, true)
	}
	p.err = errors.Join(p.cmd.Wait(), p.log.Close())
	close(p.ended)
}

// heard returns the channel that is closed when the child has said word; now: it just has.
func (p *process) heard(word string, now bool) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	ch := p.said[word]
	if ch == nil {
		ch = make(chan struct{})
		p.said[word] = ch
	}
	if now {
		select {
		case <-ch:
		default:
			close(ch)
		}
	}
	return ch
}

// after returns what the child has said after word.
func (p *process) after(word string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest, ok := p.rest[word]
	return rest, ok
}

// await waits until the child has said word. Errors: it ended instead, or took longer than patience.
func (p *process) await(ctx context.Context, word string, patience time.Duration) error {
	return p.within(ctx, p.heard(word, false), word, patience)
}

// end waits until the child has ended by itself; the error says how, unless it was in good order.
func (p *process) end(ctx context.Context, patience time.Duration) error {
	err := p.within(ctx, p.ended, "its end", patience)
	select {
	case <-p.ended:
		return p.failure()
	default:
		return err
	}
}

func (p *process) within(ctx context.Context, ch <-chan struct{}, what string, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ch:
		return nil
	default:
	}
	select {
	case <-ch:
		return nil
	case <-p.ended:
		return errors.Join(fmt.Errorf("life %d ended before %q", p.orders.Life, what), p.failure())
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines go to its log
		return fmt.Errorf("life %d: no %q after %v; its goroutines are in %s", p.orders.Life, what, patience, p.log.Name())
	}
}

// tell gives a command. One that doesn't arrive is seen by what the child doesn't do.
func (p *process) tell(command string) { _, _ = io.WriteString(p.stdin, command+"\n") }

// kill ends the child with SIGKILL. It reports false if the child was quicker.
func (p *process) kill() bool {
	_ = p.cmd.Process.Kill()
	<-p.ended
	var exit *exec.ExitError
	return errors.As(p.err, &exit) && !exit.Exited()
}

// failure is how the child failed, with the last line of its log; nil if it ended in good order.
func (p *process) failure() error {
	if p.err == nil {
		return nil
	}
	text, err := os.ReadFile(logFile(p.orders.Dir, p.orders.Life))
	if err != nil {
		return errors.Join(p.err, err)
	}
	last := strings.TrimSpace(string(text))
	if i := strings.LastIndex(last, fmt.Sprintf("\nlife %d: ", p.orders.Life)); i >= 0 {
		last = last[i+1:]
	}
	return fmt.Errorf("life %d: %w: %.2000s", p.orders.Life, p.err, last)
}
