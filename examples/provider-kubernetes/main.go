package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
)

// closeTimeout bounds what a stopped process does for what is left.
const closeTimeout = 10 * time.Second

type flags struct {
	provider, kubeconfig, namespace, selector, idLabel string
	nats, natsCA, natsUser, natsPassFile, natsCreds    string
	spool                                              string
	capacity                                           int
	window, resync                                     time.Duration
}

func parseFlags(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("provider-kubernetes", flag.ContinueOnError)
	set.StringVar(&f.provider, "provider", "", "`name` under which statuses are reported; required, and one for each cluster")
	set.StringVar(&f.kubeconfig, "kubeconfig", "", "`file` that says how to reach the cluster (default: the pod's own cluster)")
	set.StringVar(&f.namespace, "namespace", "", "`name` of the namespace whose pods are watched (default: all)")
	set.StringVar(&f.selector, "selector", "", "`labels` that they must have: app=web")
	set.StringVar(&f.idLabel, "id-label", "", "`label` whose value is a pod's id at the servers (default: its UID)")
	set.StringVar(&f.nats, "nats", "nats://127.0.0.1:4222", "`URL` of the NATS servers, with commas between")
	set.StringVar(&f.natsCA, "nats-ca", "", "`file` of the certificates that the NATS server's is checked by (default: the system's)")
	set.StringVar(&f.natsUser, "nats-user", "", "`name` of a user of NATS")
	set.StringVar(&f.natsPassFile, "nats-password-file", "", "`file` with the password of -nats-user")
	set.StringVar(&f.natsCreds, "nats-creds", "", "`file` of NATS credentials")
	set.StringVar(&f.spool, "spool", "", "`file` that keeps what waits, and which pods are known, across restarts (default: none)")
	set.IntVar(&f.capacity, "capacity", 100_000, "`number` of pods that the reporter keeps in mind")
	set.DurationVar(&f.window, "window", 0, "`time` between reports of a pod that keeps changing (default 500ms)")
	set.DurationVar(&f.resync, "resync", 0, "`time` after which every status is sent again (default 10m)")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if set.NArg() > 0 {
		return f, fmt.Errorf("%q is no flag; what comes after it isn't read", set.Arg(0))
	}
	if f.provider == "" {
		return f, errors.New("-provider is required")
	}
	return f, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "provider-kubernetes:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	f, err := parseFlags(args)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", f.kubeconfig)
	if err != nil {
		return err
	}
	client, err := corev1client.NewForConfig(config)
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
	provider, err := NewProvider(Options{Client: client, Reporter: reporter, Namespace: f.namespace, Selector: f.selector, IDLabel: f.idLabel})
	if err == nil {
		err = provider.Run(ctx)
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

// secret reads a file; "" has none.
func secret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	return strings.TrimRight(string(text), "\r\n"), err
}
