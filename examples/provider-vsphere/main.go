package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
)

// closeTimeout bounds what a stopped process does for what is left.
const closeTimeout = 10 * time.Second

type flags struct {
	provider, vcenter, user, passwordFile, ca       string
	insecure                                        bool
	identifyBy, idKey                               string
	nats, natsCA, natsUser, natsPassFile, natsCreds string
	spool                                           string
	capacity                                        int
	window, resync                                  time.Duration
}

func parseFlags(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("provider-vsphere", flag.ContinueOnError)
	set.StringVar(&f.provider, "provider", "", "`name` under which statuses are reported; required, and one for each vCenter")
	set.StringVar(&f.vcenter, "vcenter", "", "`URL` of the vCenter: https://vcenter.example.com/sdk; required")
	set.StringVar(&f.user, "user", "", "`name` of a user of the vCenter who may read; required")
	set.StringVar(&f.passwordFile, "password-file", "", "`file` with the user's password; required")
	set.StringVar(&f.ca, "ca", "", "`file` of the certificates that the vCenter's is checked by (default: the system's)")
	set.BoolVar(&f.insecure, "insecure", false, "take the vCenter's certificate unseen")
	set.StringVar(&f.identifyBy, "id", string(ByInstanceUUID), "what of a VM is its `id` at the servers: instance-uuid, extra-config or attribute")
	set.StringVar(&f.idKey, "id-key", DefaultIDKey, "`key` of the configuration, or name of the custom attribute, that has the id")
	set.StringVar(&f.nats, "nats", "nats://127.0.0.1:4222", "`URL` of the NATS servers, with commas between")
	set.StringVar(&f.natsCA, "nats-ca", "", "`file` of the certificates that the NATS server's is checked by (default: the system's)")
	set.StringVar(&f.natsUser, "nats-user", "", "`name` of a user of NATS")
	set.StringVar(&f.natsPassFile, "nats-password-file", "", "`file` with the password of -nats-user")
	set.StringVar(&f.natsCreds, "nats-creds", "", "`file` of NATS credentials")
	set.StringVar(&f.spool, "spool", "", "`file` that keeps what waits, and which VMs are known, across restarts (default: none)")
	set.IntVar(&f.capacity, "capacity", 100_000, "`number` of VMs that the reporter keeps in mind")
	set.DurationVar(&f.window, "window", 0, "`time` between reports of a VM that keeps changing (default 500ms)")
	set.DurationVar(&f.resync, "resync", 0, "`time` after which every status is sent again (default 10m)")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if set.NArg() > 0 {
		return f, fmt.Errorf("%q is no flag; what comes after it isn't read", set.Arg(0))
	}
	for name, value := range map[string]string{"provider": f.provider, "vcenter": f.vcenter, "user": f.user, "password-file": f.passwordFile} {
		if value == "" {
			return f, fmt.Errorf("-%s is required", name)
		}
	}
	return f, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "provider-vsphere:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	f, err := parseFlags(args)
	if err != nil {
		return err
	}
	vcenter, err := f.url()
	if err != nil {
		return err
	}
	natsPassword, err := secret(f.natsPassFile)
	if err != nil {
		return err
	}
	transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{
		URL: f.nats, Name: "provider " + f.provider,
		Login: natsbridge.Login{CA: f.natsCA, User: f.natsUser, Password: natsPassword, Credentials: f.natsCreds},
	})
	if err != nil {
		return err
	}
	reporter, err := f.reporter(transport)
	if err != nil {
		return errors.Join(err, transport.Close(ctx))
	}
	provider, err := NewProvider(Options{
		URL: vcenter, Insecure: f.insecure, CA: f.ca, Reporter: reporter, IdentifyBy: IdentifyBy(f.identifyBy), IDKey: f.idKey,
	})
	if err == nil {
		provider.Run(ctx)
	}
	slog.Info("stopping", "stats", fmt.Sprintf("%+v", reporter.Stats()))
	closing, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return errors.Join(err, reporter.Close(closing), transport.Close(closing))
}

func (f flags) reporter(transport *natsbridge.Transport) (*status.Reporter, error) {
	o := status.ReporterOptions{Provider: f.provider, Capacity: f.capacity, Window: f.window, Resync: f.resync}
	if f.spool != "" {
		spool, err := status.OpenFileSpool(f.spool)
		if err != nil {
			return nil, err
		}
		o.Spool = spool
	}
	r, err := status.NewReporter(transport, o)
	if err != nil && o.Spool != nil {
		err = errors.Join(err, o.Spool.Close())
	}
	return r, err
}

func (f flags) url() (*url.URL, error) {
	u, err := url.Parse(f.vcenter)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, errors.New("-vcenter must be a URL such as https://vcenter.example.com/sdk")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/sdk"
	}
	password, err := secret(f.passwordFile)
	u.User = url.UserPassword(f.user, password)
	return u, err
}

// secret reads a file; "" has none.
func secret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	return strings.TrimRight(string(text), "\r\n"), err
}
