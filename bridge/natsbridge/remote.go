package natsbridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrAnew: the stream isn't the one that a remote bus began to read: it was made anew, or numbers that had been read were given to other messages after the broker
// lost its newest ones. The process has to start again; its durable subscriptions then go on before what was lost.
var ErrAnew = errors.New("natsbridge: the stream was made anew, or has lost its end: start the process again")

const defaultLease = 5 * time.Second

// RemoteOptions of Remote. The zero value follows the stream cloudbus.
type RemoteOptions struct {
	InProcess  nats.InProcessConnProvider // A NATS server embedded in this process (*server.Server), instead of a URL. Defaults to none.
	Conn       *nats.Conn                 // A connection to use instead of a URL, which stays the caller's. Defaults to one of the bus's own.
	Name       string                     // Of the bus's own connection, as NATS shows it. Defaults to "cloudbus".
	Login      Login                      // Who the process is to the broker, and by what it knows the broker. Defaults to nobody.
	Connection []nats.Option              // For the bus's own connection, what Login doesn't say: timeouts, proxies. Defaults to none.

	Stream   string        // Where the events are. Defaults to "cloudbus".
	Replicas int           // Of the bucket "<stream>-remote" that keeps cursors, leases and what is parked, if this process is the one that makes it. Defaults to 1.
	Lease    time.Duration // How long a durable name stays with a process that doesn't answer; at least 500 ms. Defaults to 5 s.
	Source   string        // Of live events on this bus. Defaults to cloudbus/<hostname>.
	Logger   *slog.Logger  // Defaults to slog.Default().
	OnAnew   func(error)   // Told once when the bus can't go on, see ErrAnew. Defaults to the log alone.
}

func (o RemoteOptions) withDefaults() (RemoteOptions, error) {
	switch {
	case strings.ContainsAny(o.Stream, ". *>/\\\t\r\n"):
		return o, &bridge.OptionError{Option: "Stream", Value: o.Stream, Reason: `must not contain spaces, ".", "*", ">", "/" or "\"`}
	case bus.TextFault(o.Source) != "":
		return o, &bridge.OptionError{Option: "Source", Value: o.Source, Reason: bus.TextFault(o.Source)}
	case o.Replicas < 0 || o.Replicas > 5:
		return o, &bridge.OptionError{Option: "Replicas", Value: o.Replicas, Reason: "must be 1 to 5"}
	case o.Lease < 0 || o.Lease > 0 && o.Lease < 500*time.Millisecond:
		return o, &bridge.OptionError{Option: "Lease", Value: o.Lease, Reason: "must be at least 500ms"}
	}
	o.Stream = cmp.Or(o.Stream, defaultStream)
	o.Replicas = cmp.Or(o.Replicas, 1)
	o.Lease = cmp.Or(o.Lease, defaultLease)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return o, nil
}

// Remote gives a process without a database a bus on which it hears the events that servers send to a stream: register types and subscribe as on a server's bus,
// with bus.Durable too.
//
//	b, err := natsbridge.Remote(ctx, "nats://10.0.0.5:4222", natsbridge.RemoteOptions{})
//	err = resources.RegisterPayloads[vm.VM](b, vm.Machine)
//	_, err = bus.Subscribe(b.Client("mailer"), onVM, bus.Durable("mailer"))
//	defer b.Close(ctx)
//
// Durable subscriptions have all their promises: at least once, in order per resource, parking, one process at a time for each name, across restarts. Their cursors,
// leases, attempts and parked events lie in the key-value bucket <stream>-remote, which must keep them: in files, without a TTL.
// A process that was stopped for longer than RemoteOptions.Lease stores nothing when it wakes up, unless it was stopped in the midst of a write: a parked event may
// then lie there though another process has handled it. Numbers (Header.Seq) are the stream's; one whose message is gone, or is no event,
// is passed over, the latter with a warning; one that fails when its message is gone can't be parked, and is an error in the log. bus.Publish is for this process alone; nothing can be recorded from here, and journal.Subscribe is bus.ErrNoJournal.
//
// Remote waits for the broker and the stream until ctx ends. Later outages are waited for without end. Closing the bus closes the connection.
// Errors: *bridge.OptionError, ErrAway, *StreamError, ctx's.
func Remote(ctx context.Context, url string, o RemoteOptions) (*bus.Bus, error) {
	j, err := openRemote(ctx, url, o)
	if err != nil {
		return nil, err
	}
	return bus.New(bus.Options{Logger: j.log, Source: o.Source, Journal: j}), nil
}

func openRemote(ctx context.Context, url string, o RemoteOptions) (*remote, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	link, err := newLink(address{url: url, inProcess: o.InProcess, conn: o.Conn, name: o.Name, login: o.Login, connection: o.Connection})
	if err != nil {
		return nil, err
	}
	j := &remote{options: o, log: o.Logger}
	j.life, j.end = context.WithCancel(context.Background())
	j.keeper = newKeeper(link, j.look)
	j.keeper.start(ctx, o.Logger)
	if err := j.keeper.gate.wait(ctx); err != nil {
		why := j.keeper.health()
		j.close()
		return nil, errors.Join(why, err)
	}
	return j, nil
}

// close ends all that runs, and the connection.
func (j *remote) close() {
	j.end()
	j.running.Wait()
	j.keeper.close()
}

// remote is a bus.Journal over a stream and a key-value bucket.
type remote struct {
	options RemoteOptions
	log     *slog.Logger
	keeper  *keeper
	life    context.Context // until the bus is closed
	end     context.CancelFunc
	running sync.WaitGroup // what follows the stream, and keeps leases
	bad     grumble

	mu       sync.Mutex
	attached bool
	stream   jetstream.Stream
	kv       jetstream.KeyValue
	created  time.Time // of the stream that we began with; zero before
	begin    uint64    // the number that came next then: what is handed over begins there
	seen     uint64    // the newest message that was handed over
	seenAt   time.Time // when the stream stored it
	anew     error
	leases   map[string]*remoteLease
	tries    sync.Mutex // held while attempts are changed
}

// Attach begins to follow the stream.
func (j *remote) Attach(a bus.Attachment) (detach func(), err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.attached {
		return nil, bus.ErrAttached
	}
	j.attached = true
	j.running.Go(func() { j.follow(a) })
	return sync.OnceFunc(j.close), nil
}

// look finds the stream and the bucket, and sees that the stream is the one that we know.
func (j *remote) look(ctx context.Context, js jetstream.JetStream) error {
	stream, err := js.Stream(ctx, j.options.Stream)
	if err != nil {
		return &StreamError{Stream: j.options.Stream, Err: err}
	}
	if err := j.recognise(ctx, stream); err != nil {
		return err
	}
	bucket := j.options.Stream + "-remote"
	kv, err := js.KeyValue(ctx, bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: bucket, Description: "durable subscriptions of remote processes of Cloudbus", Storage: jetstream.FileStorage, Replicas: j.options.Replicas, History: 1,
		})
	}
	if err != nil {
		return &StreamError{Stream: bucket, Err: err}
	}
	if err := lasts(ctx, kv); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stream, j.kv = stream, kv
	return nil
}

// lasts is a *StreamError if a bucket that somebody else has made forgets by itself what it was given.
func lasts(ctx context.Context, kv jetstream.KeyValue) error {
	status, err := kv.Status(ctx)
	if err != nil {
		return &StreamError{Stream: kv.Bucket(), Err: err}
	}
	bucket, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		return nil // never: jetstream has no other
	}
	c := bucket.StreamInfo().Config
	switch limited := c.MaxBytes > 0 || c.MaxMsgs > 0; {
	case c.Storage != jetstream.FileStorage:
		return &StreamError{Stream: kv.Bucket(), Setting: "storage", Have: c.Storage.String(), Want: jetstream.FileStorage.String()}
	case c.MaxAge != 0:
		return &StreamError{Stream: kv.Bucket(), Setting: "TTL", Have: c.MaxAge.String(), Want: "none"}
	case limited && c.Discard != jetstream.DiscardNew:
		return &StreamError{Stream: kv.Bucket(), Setting: "discard policy", Have: c.Discard.String(), Want: jetstream.DiscardNew.String()}
	}
	return nil
}

// recognise is ErrAnew if numbers that we have handed over belong to other messages now.
func (j *remote) recognise(ctx context.Context, stream jetstream.Stream) error {
	info := stream.CachedInfo()
	j.mu.Lock()
	seen, seenAt, created, anew := j.seen, j.seenAt, j.created, j.anew
	if created.IsZero() {
		j.created, created, j.begin = info.Created, info.Created, info.State.LastSeq+1
	}
	j.mu.Unlock()
	if anew != nil {
		return anew
	}
	var why string
	switch {
	case !created.Equal(info.Created):
		why = fmt.Sprintf("it was made at %v, not at %v", info.Created, created)
	case info.State.LastSeq < seen:
		why = fmt.Sprintf("it ends at %d, and %d was read", info.State.LastSeq, seen)
	case seen > 0:
		m, err := stream.GetMsg(ctx, seen)
		if err == nil && !m.Time.Equal(seenAt) {
			why = fmt.Sprintf("number %d is another message", seen)
		}
		if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
			return &StreamError{Stream: j.options.Stream, Err: err}
		}
	}
	if why == "" {
		return nil
	}
	anew = fmt.Errorf("%w (%s: %s)", ErrAnew, j.options.Stream, why)
	j.mu.Lock()
	j.anew = anew
	j.mu.Unlock()
	j.log.Error("nats: a remote bus can't go on", "error", anew)
	if j.options.OnAnew != nil {
		j.options.OnAnew(anew)
	}
	return anew
}

// there returns what calls need, with a context that ends with the connection, or why nothing can be asked.
func (j *remote) there(ctx context.Context) (jetstream.Stream, jetstream.KeyValue, context.Context, context.CancelFunc, error) {
	span, err := j.keeper.pass()
	if err != nil {
		return nil, nil, nil, nil, fmt.Errorf("%w: %w", bus.ErrOutage, err)
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	stop := context.AfterFunc(span, cancel)
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stream, j.kv, ctx, func() { stop(); cancel() }, nil
}

// grumble logs what can't be read, once in a while.
type grumble struct {
	mu    sync.Mutex
	next  time.Time
	quiet int
}

func (g *grumble) about(log *slog.Logger, seq uint64, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := time.Now(); now.Before(g.next) {
		g.quiet++
		return
	}
	g.next = time.Now().Add(10 * time.Second)
	log.Warn("nats: a message is no event, and is passed over", "seq", seq, "error", err, "others", g.quiet)
	g.quiet = 0
}

var (
	_ bus.Journal       = (*remote)(nil)
	_ bus.Leaser        = (*remote)(nil)
	_ bus.Parker        = (*remote)(nil)
	_ bus.AttemptKeeper = (*remote)(nil)
)
