package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// What a parent says to a child, a line each on its standard input. If the input ends, the parent is gone, and the child closes.
const (
	sayClose  = "close"  // stop the callers and close; what isn't delivered waits for the next life
	sayFinish = "finish" // stop the callers, wait until everything is delivered, close
	sayFill   = "fill"   // let the database have no more room
	sayRoom   = "room"   // let it have room again
	sayLock   = "lock"   // let the database be read-only from now on
)

// What a child says to its parent, on its standard output.
const (
	saidReady    = "ready"    // callers are at work
	saidInjected = "injected" // followed by what
	saidDone     = "done"     // followed by a command that was carried out
	saidRefused  = "refused"  // followed by how many changes the database has refused, and what the first refusal said
)

// settlePatience is how long everything may take to be delivered.
const settlePatience = 5 * time.Minute

// child is one life of the server.
type child struct {
	orders  orders
	cloud   *cloud
	load    *load
	janitor *janitor
	log     *slog.Logger

	mu   sync.Mutex
	out  io.Writer
	err  error // the first failure
	dead chan struct{}
}

// live is the life of a child: it serves until its parent says otherwise, and returns the exit code.
func live(o orders, in io.Reader, out, log io.Writer) int {
	c := &child{orders: o, out: out, dead: make(chan struct{}), log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo}))}
	if err := c.live(in); err != nil {
		_, _ = fmt.Fprintf(log, "life %d: %v\n", o.Life, err)
		return exitFailure
	}
	return exitOK
}

func (c *child) live(in io.Reader) (err error) {
	if c.orders.Nobody {
		if err := becomeNobody(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.cloud, err = openCloud(ctx, c.orders, c.log, c.fail, c.fault)
	if err != nil {
		return errors.Join(err, c.cloud.close())
	}
	written, err := createLines(ackFile(c.orders.Dir, c.orders.Life))
	if err != nil {
		return errors.Join(err, c.cloud.close())
	}
	defer func() { err = errors.Join(err, written.close()) }()
	f, err := muster(ctx, c.cloud.vms, c.orders.Life)
	if err != nil {
		return errors.Join(err, c.cloud.close())
	}
	lie := c.fault(injectLost, 50)
	c.load = startLoad(c.orders.Callers, c.orders.Seed, c.orders.Trouble, c.fail, func(rng *rand.Rand) *caller {
		return &caller{vms: c.cloud.vms, fleet: f, acks: acks{written}, rng: rng, inject: lie}
	})
	c.janitor = c.hire()
	c.say(saidReady)
	err = c.obey(commands(in))
	c.rest()
	n, first := c.load.refusals()
	c.say("%s %d %q", saidRefused, n, first)
	return errors.Join(err, c.cloud.close(), c.failure())
}

// hire starts a janitor.
func (c *child) hire() *janitor {
	j := &janitor{vms: c.cloud.vms, store: c.cloud.store, trouble: c.orders.Trouble, fail: c.fail}
	if c.orders.Postgres == "" {
		j.file = func(n int) string { return backupFile(c.orders.Dir, c.orders.Life, n) }
	}
	j.start(rand.New(rand.NewPCG(c.orders.Seed, uint64(c.orders.Callers))))
	return j
}

// rest lets callers and janitor end.
func (c *child) rest() {
	c.load.stop()
	c.janitor.stop()
}

// commands returns what the parent says; the channel is closed when there is no parent any more.
func commands(in io.Reader) <-chan string {
	said := make(chan string)
	go func() {
		defer close(said)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			said <- lines.Text()
		}
	}()
	return said
}

// obey carries commands out until one of them ends this life, or something fails.
func (c *child) obey(said <-chan string) error {
	for {
		select {
		case <-c.dead:
			return nil // failure says why
		case command := <-said:
			switch command {
			case sayFinish:
				c.rest()
				ctx, cancel := context.WithTimeout(context.Background(), settlePatience)
				defer cancel()
				return c.cloud.settle(ctx)
			case sayClose, "":
				return nil
			}
			if err := c.trouble(command); err != nil {
				return fmt.Errorf("%s: %w", command, err)
			}
			c.say("%s %s", saidDone, command)
		}
	}
}

// trouble makes the writer's connection refuse what it took before, or lets it take it again. A pragma isn't undone with its transaction, so a
// refusal of that transaction means that it has worked.
func (c *child) trouble(command string) error {
	pragma, ok := map[string]string{
		sayFill: "max_page_count = 1", // SQLite raises a limit below the size of the file to that size
		sayRoom: "max_page_count = 1000000000",
		sayLock: "query_only = ON",
	}[command]
	if !ok {
		return errors.New("unknown command")
	}
	err := c.cloud.journal.Do(context.Background(), func(tx *journal.Tx) error { return tx.DB().Exec("PRAGMA " + pragma).Error })
	if refusal(err) {
		return nil
	}
	return err
}

// fault returns the fault of a name if this child is to have it.
func (c *child) fault(name string, after int64) *fault {
	if c.orders.Inject != name {
		return nil
	}
	return &fault{after: after, announce: func() { c.say("%s %s", saidInjected, name) }}
}

// fail ends this life with an error.
func (c *child) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.dead)
	}
}

func (c *child) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *child) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = fmt.Fprintf(c.out, format+"\n", args...) // a parent that is gone has closed the input too
}

// becomeNobody gives up root's rights, if this is root.
func becomeNobody() error {
	const nobody = 65534
	if os.Geteuid() != 0 {
		return nil
	}
	return errors.Join(dropGroup(nobody), dropUser(nobody))
}
