package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// config is what the command line asks for.
type config struct {
	listen        string
	listenGiven   bool // a taken port is an error only if the address was asked for
	data          string
	natsURL       string
	natsListen    string
	bridge        []string
	states        bool
	schemas       string // URL
	alerts        string // file of rules; "": the default ones
	replay        string
	nova          *os.File // what -replay names, opened once: a pipe can't be opened again
	once          bool
	wait          time.Duration
	seed          uint64
	failRate      float64
	operationTime time.Duration
	retain        time.Duration // 0: events stay for ever
	purge         time.Duration // 0: resources that are gone stay for ever
	level         slog.Level
}

// parseFlags reads args. On an error it has written the usage to out; flag.ErrHelp says that the usage was asked for.
func parseFlags(args []string, out io.Writer) (config, error) {
	var c config
	var bridge string
	fs := flag.NewFlagSet("server", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.StringVar(&c.listen, "listen", "127.0.0.1:8080", "`address` of the HTTP API; if it is taken and wasn't asked for, any free port")
	fs.StringVar(&c.data, "data", "./cloudbus-data", "`folder` of the database and of the embedded broker; or postgres://…, a database that several servers may share")
	fs.StringVar(&c.natsURL, "nats", "", "`URL` of a NATS server to use instead of the embedded one")
	fs.StringVar(&c.natsListen, "nats-listen", "", "`address` on which the embedded NATS server takes other clients (default: none)")
	fs.StringVar(&bridge, "bridge", defaultBridge, "`patterns` of the event types to publish to NATS")
	fs.BoolVar(&c.states, "states", false, "keep the state of each resource in the stream cloudbus-state too, one message each")
	fs.StringVar(&c.schemas, "schemas", "", "`URL` of /v1/schemas/ as consumers reach it, for the events' dataschema (default: none)")
	fs.StringVar(&c.alerts, "alerts", "", "YAML `file` with the rules for alerts (default: those of plugins/alerts)")
	fs.StringVar(&c.replay, "replay", "", "nova-compute log `file` to replay")
	fs.BoolVar(&c.once, "once", false, "end after the replay and print its result as JSON")
	fs.DurationVar(&c.wait, "wait", time.Minute, "how long -once waits for the broker")
	fs.Uint64Var(&c.seed, "seed", 1, "seed of the simulated hypervisor")
	fs.Float64Var(&c.failRate, "fail-rate", 0.05, "share of operations that the simulated hypervisor lets fail, 0 to 1")
	fs.DurationVar(&c.operationTime, "operation-time", 2*time.Second, "how long a simulated operation takes, give or take a half")
	fs.DurationVar(&c.retain, "retain", 0, "how long events stay in the journal once everyone has read them, such as 720h (default: for ever)")
	fs.DurationVar(&c.purge, "purge", 0, "how long resources stay that have come to their end, such as 2160h (default: for ever)")
	fs.TextVar(&c.level, "log", slog.LevelInfo, "log `level`: debug, info, warn, error")

	if err := fs.Parse(args); err != nil {
		return c, err
	}
	fs.Visit(func(f *flag.Flag) { c.listenGiven = c.listenGiven || f.Name == "listen" })
	c.bridge = strings.FieldsFunc(bridge, func(r rune) bool { return r == ' ' || r == ',' })
	if err := c.check(fs.Args()); err != nil {
		_, _ = fmt.Fprintln(out, err)
		fs.Usage()
		return c, err
	}
	return c, nil
}

// defaultBridge names the events of resources.
const defaultBridge = "vm.> volume.> nic.> network.> public_ip.> snapshot.> template.> host.> host_admin.> container.> cluster.>"

func (c *config) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case c.data == "":
		return errors.New("-data: name a folder")
	case onPostgres(c.data) && c.natsURL == "":
		return errors.New("-data on PostgreSQL: give -nats URL too, a broker that all servers on the database share")
	case c.once && c.replay == "":
		return errors.New("-once ends after a replay: give -replay FILE too")
	case c.natsURL != "" && c.natsListen != "":
		return errors.New("-nats-listen is for the embedded NATS server, -nats replaces it: give one of them")
	case !(c.failRate >= 0 && c.failRate <= 1): // refuses NaN too
		return fmt.Errorf("-fail-rate %v: from 0 to 1", c.failRate)
	case c.operationTime < 0:
		return fmt.Errorf("-operation-time %v: not below 0", c.operationTime)
	case c.retain < 0 || c.purge < 0:
		return fmt.Errorf("-retain %v, -purge %v: not below 0", c.retain, c.purge)
	case c.wait <= 0:
		return fmt.Errorf("-wait %v: above 0", c.wait)
	case len(c.bridge) == 0:
		return errors.New(`-bridge: name at least one pattern, such as "vm.>"`)
	}
	for _, pattern := range c.bridge {
		if _, err := bus.ParsePattern(pattern); err != nil {
			return fmt.Errorf("-bridge: %w", err)
		}
	}
	return nil
}
