package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// Faults that a child can be told to have.
const (
	injectLost  = "lost"
	injectTwice = "twice"
	injectOrder = "order"
)

// postgresVariable names the database that is used if -postgres isn't given a DSN of its own.
const postgresVariable = "CLOUDBUS_TEST_POSTGRES"

// config is what the flags say.
type config struct {
	kills    int
	every    time.Duration
	callers  int
	seed     uint64
	servers  int
	postgres string
	inject   string
	diskFull bool
	readOnly bool
	patience time.Duration
	dir      string
	keep     bool
}

// parseFlags reads args. On an error it has written the usage to out; flag.ErrHelp says that the usage was asked for.
func parseFlags(args []string, out io.Writer) (config, error) {
	var c config
	fs := flag.NewFlagSet("crashtest", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.IntVar(&c.kills, "kills", 50, "how often the server is killed")
	fs.DurationVar(&c.every, "every", 500*time.Millisecond, "how long a server lives in the mean before it is killed, and how long the last one is under load")
	fs.IntVar(&c.callers, "callers", 64, "how many callers change resources at the same time")
	fs.Uint64Var(&c.seed, "seed", 0, "of all that is left to chance (default: the clock)")
	fs.IntVar(&c.servers, "servers", 1, "how many servers work on the database at the same time; more than one only with -postgres")
	fs.StringVar(&c.postgres, "postgres", "", "`DSN` of a PostgreSQL server to use instead of SQLite; env: what "+postgresVariable+" says")
	fs.StringVar(&c.inject, "inject", "", "a fault that the last server has on purpose: lost, twice or order")
	fs.BoolVar(&c.diskFull, "disk-full", false, "instead of killing let the database run out of room")
	fs.BoolVar(&c.readOnly, "read-only", false, "instead of killing let the database be read-only")
	fs.DurationVar(&c.patience, "patience", 5*time.Minute, "how long a server may take to start, or to finish")
	fs.StringVar(&c.dir, "dir", "", "`folder` for all files, which must be empty; if root gives -read-only too, others must be able to get there (default: a temporary one)")
	fs.BoolVar(&c.keep, "keep", false, "leave the files where they are; after a violation they stay anyway")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if err := c.check(fs.Args()); err != nil {
		_, _ = fmt.Fprintln(out, err)
		fs.Usage()
		return c, err
	}
	if c.seed == 0 {
		c.seed = uint64(time.Now().UnixNano())
	}
	return c, nil
}

func (c *config) check(rest []string) error {
	if c.postgres == "env" {
		if c.postgres = os.Getenv(postgresVariable); c.postgres == "" {
			return fmt.Errorf("-postgres env: %s isn't set", postgresVariable)
		}
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case c.kills < 0:
		return fmt.Errorf("-kills %d: from 0", c.kills)
	case c.every <= 0:
		return fmt.Errorf("-every %v: above 0", c.every)
	case c.patience <= 0:
		return fmt.Errorf("-patience %v: above 0", c.patience)
	case c.callers < 1 || c.callers > 4096:
		return fmt.Errorf("-callers %d: from 1 to 4096", c.callers)
	case c.servers < 1 || c.servers > 16:
		return fmt.Errorf("-servers %d: from 1 to 16", c.servers)
	case c.servers > 1 && c.postgres == "":
		return errors.New("-servers: an SQLite file belongs to one server; give -postgres too")
	case c.inject == injectOrder && c.servers > 1:
		return errors.New("-inject order: one of several servers may go back in the file; give -servers 1")
	case c.inject != "" && c.inject != injectLost && c.inject != injectTwice && c.inject != injectOrder:
		return fmt.Errorf("-inject %q: lost, twice or order", c.inject)
	}
	return c.checkTrouble()
}

func (c *config) checkTrouble() error {
	switch {
	case !c.diskFull && !c.readOnly:
		return nil
	case c.diskFull && c.readOnly:
		return errors.New("-disk-full and -read-only: give one of them")
	case c.postgres != "":
		return errors.New("-disk-full and -read-only are for SQLite")
	case c.inject != "":
		return errors.New("-inject needs a server that is killed: leave -disk-full and -read-only out")
	}
	return nil
}
