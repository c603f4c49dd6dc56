package natsbridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// note is a recorded event.
type note struct {
	Of string `json:"of"`
	N  int    `json:"n"`
}

func (n note) EventType() string                  { return "note.taken" }
func (n note) Address() (tenant, kind, id string) { return "acme", "note", n.Of }

// cloudStream makes the stream that a sink would.
func cloudStream(t *testing.T, b *broker) (jetstream.JetStream, jetstream.Stream) {
	t.Helper()
	js := b.jetStream()
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "cloudbus", Subjects: []string{"cloudbus.>"}, Storage: jetstream.FileStorage, AllowDirect: true})
	must(t, err)
	return js, stream
}

// takeNote sends a note as a server does, in one mode or the other.
func takeNote(t *testing.T, js jetstream.JetStream, n note, binary bool) {
	t.Helper()
	h := bus.Header{ID: bus.NewID(time.Now()), Type: n.EventType(), Schema: 1, Source: "cloudbus/eu1", Kind: "note", ResourceID: n.Of, Tenant: "acme", Time: time.Now().UTC(), Version: uint64(n.N), Seq: 9000}
	e := bus.Event[bus.Raw]{Header: h, Payload: fmt.Appendf(nil, `{"of":%q,"n":%d}`, n.Of, n.N)}
	m := &nats.Msg{Subject: "cloudbus.acme.note.taken"}
	if binary {
		contentType, attributes, data, err := bridge.EncodeBinary(e)
		must(t, err)
		m.Header, m.Data = bridge.WriteHeader(contentType, attributes), data
	} else {
		data, err := bridge.Encode(e)
		must(t, err)
		m.Header, m.Data = nats.Header{"Content-Type": {bridge.ContentType}}, data
	}
	_, err := js.PublishMsg(t.Context(), m)
	must(t, err)
}

func remoteBus(t *testing.T, b *broker, o natsbridge.RemoteOptions) *bus.Bus {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	remote, err := natsbridge.Remote(ctx, b.url(), o)
	must(t, err)
	t.Cleanup(func() { closeBus(t, remote) })
	must(t, bus.Register[note](remote, "note.>", 1))
	return remote
}

func closeBus(t *testing.T, b *bus.Bus) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	must(t, b.Close(ctx))
}

// notebook collects notes.
type notebook struct {
	mu  sync.Mutex
	all []string
}

func (n *notebook) write(_ context.Context, e bus.Event[note]) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, fmt.Sprintf("%s%d@%d", e.Payload.Of, e.Payload.N, e.Seq))
	return nil
}

func (n *notebook) holds(t *testing.T, want ...string) {
	t.Helper()
	eventually(t, func() error {
		n.mu.Lock()
		defer n.mu.Unlock()
		if !slices.Equal(n.all, want) {
			return fmt.Errorf("heard %v, want %v", n.all, want)
		}
		return nil
	})
}

func TestRemoteHearsLiveAndDurably(t *testing.T) {
	b := newBroker(t).start()
	js, stream := cloudStream(t, b)
	takeNote(t, js, note{"a", 1}, false)
	remote := remoteBus(t, b, natsbridge.RemoteOptions{})
	var live, durable notebook
	_, err := bus.Subscribe(remote.Client("live"), live.write)
	must(t, err)
	sub, err := bus.Subscribe(remote.Client("durable"), durable.write, bus.Durable("mailer"), bus.From(0))
	must(t, err)
	takeNote(t, js, note{"a", 2}, true)
	_, err = js.Publish(t.Context(), "cloudbus.acme.note.taken", []byte("no event"))
	must(t, err)
	takeNote(t, js, note{"b", 1}, false)
	live.holds(t, "a2@2", "b1@4")
	durable.holds(t, "a1@1", "a2@2", "b1@4")

	t.Log("messages are removed from the stream, in the midst and at its end")
	sub.Close()
	<-sub.Done()
	takeNote(t, js, note{"a", 3}, false)
	takeNote(t, js, note{"a", 4}, false)
	takeNote(t, js, note{"a", 5}, false)
	must(t, stream.DeleteMsg(t.Context(), 5))
	must(t, stream.DeleteMsg(t.Context(), 7))
	var again notebook // of a process that has none of it in memory
	_, err = bus.Subscribe(remoteBus(t, b, natsbridge.RemoteOptions{}).Client("durable"), again.write, bus.Durable("mailer"))
	must(t, err)
	takeNote(t, js, note{"a", 6}, false)
	again.holds(t, "a4@6", "a6@8")

	t.Log("what is published here stays here, and nothing is recorded")
	if err := bus.Publish(t.Context(), remote.Client("live"), note{"here", 1}); err != nil {
		t.Error(err)
	}
	must(t, remote.Flush(t.Context()))
	info, err := stream.Info(t.Context())
	must(t, err)
	if info.State.LastSeq != 8 {
		t.Errorf("the stream is at %d", info.State.LastSeq)
	}
}

func TestRemoteGoesOnWhenTheBrokerIsBack(t *testing.T) {
	b := newBroker(t).start()
	js, _ := cloudStream(t, b)
	remote := remoteBus(t, b, natsbridge.RemoteOptions{})
	var durable notebook
	_, err := bus.Subscribe(remote.Client("durable"), durable.write, bus.Durable("mailer"))
	must(t, err)
	takeNote(t, js, note{"a", 1}, false)
	durable.holds(t, "a1@1")
	b.stop()
	b.start()
	takeNote(t, b.jetStream(), note{"a", 2}, false)
	durable.holds(t, "a1@1", "a2@2")
}

func TestRemoteNamesMoveFromOneProcessToAnother(t *testing.T) {
	b := newBroker(t).start()
	js, _ := cloudStream(t, b)
	o := natsbridge.RemoteOptions{Lease: 600 * time.Millisecond}
	one, two := remoteBus(t, b, o), remoteBus(t, b, o)
	var first, second notebook
	a, err := bus.Subscribe(one.Client("mailer"), first.write, bus.Durable("mailer"))
	must(t, err)
	_, err = bus.Subscribe(two.Client("mailer"), second.write, bus.Durable("mailer"))
	must(t, err)
	takeNote(t, js, note{"a", 1}, false)
	first.holds(t, "a1@1")
	a.Close()
	<-a.Done()
	takeNote(t, js, note{"a", 2}, false)
	second.holds(t, "a2@2")
	first.holds(t, "a1@1")
}

func TestRemoteParksAndReplays(t *testing.T) {
	b := newBroker(t).start()
	js, _ := cloudStream(t, b)
	remote := remoteBus(t, b, natsbridge.RemoteOptions{})
	var good notebook
	broken := true
	var mu sync.Mutex
	_, err := bus.Subscribe(remote.Client("mailer"), func(ctx context.Context, e bus.Event[note]) error {
		mu.Lock()
		defer mu.Unlock()
		if broken && e.Payload.Of == "bad" {
			return errors.New("can't")
		}
		return good.write(ctx, e)
	}, bus.Durable("mailer 1"), bus.Retry(1, time.Millisecond))
	must(t, err)
	takeNote(t, js, note{"bad", 1}, false)
	takeNote(t, js, note{"good", 1}, false)
	takeNote(t, js, note{"bad", 2}, true)
	good.holds(t, "good1@2")
	eventually(t, func() error {
		parked, err := remote.Parked(t.Context(), bus.ParkedQuery{Subscription: "mailer 1"})
		if err != nil || len(parked) != 2 || parked[0].Seq != 1 || parked[1].Seq != 3 {
			return fmt.Errorf("parked %+v, %w", parked, errors.Join(err, errors.New("want 1 and 3")))
		}
		return nil
	})
	mu.Lock()
	broken = false
	mu.Unlock()
	_, err = remote.Replay(t.Context(), "mailer 1", "", "")
	must(t, err)
	good.holds(t, "good1@2", "bad1@1", "bad2@3")
	left, err := remote.ParkedResources(t.Context(), "mailer 1")
	must(t, err)
	if len(left) > 0 {
		t.Errorf("still parked: %+v", left)
	}
}

func TestRemoteSaysThatTheStreamIsAnotherOne(t *testing.T) {
	b := newBroker(t).start()
	js, _ := cloudStream(t, b)
	anew := make(chan error, 1)
	remote := remoteBus(t, b, natsbridge.RemoteOptions{OnAnew: func(err error) { anew <- err }})
	var durable notebook
	sub, err := bus.Subscribe(remote.Client("durable"), durable.write, bus.Durable("mailer"))
	must(t, err)
	takeNote(t, js, note{"a", 1}, false)
	takeNote(t, js, note{"a", 2}, false)
	durable.holds(t, "a1@1", "a2@2")
	sub.Close()
	<-sub.Done()
	must(t, js.DeleteStream(t.Context(), "cloudbus"))
	b.stop()
	b.start()
	js, _ = cloudStream(t, b)
	takeNote(t, js, note{"a", 3}, false)
	select {
	case err := <-anew:
		if !errors.Is(err, natsbridge.ErrAnew) {
			t.Errorf("OnAnew got %v", err)
		}
	case <-time.After(15 * time.Second):
		t.Fatal("nobody says so")
	}
	var next notebook
	_, err = bus.Subscribe(remoteBus(t, b, natsbridge.RemoteOptions{}).Client("durable"), next.write, bus.Durable("mailer"))
	must(t, err)
	next.holds(t, "a3@1")
}

func TestRemoteSaysSoThoughTheConnectionLasts(t *testing.T) {
	b := newBroker(t).start()
	js, _ := cloudStream(t, b)
	anew := make(chan error, 1)
	remote := remoteBus(t, b, natsbridge.RemoteOptions{OnAnew: func(err error) { anew <- err }})
	var durable notebook
	_, err := bus.Subscribe(remote.Client("durable"), durable.write, bus.Durable("mailer"))
	must(t, err)
	takeNote(t, js, note{"a", 1}, false)
	takeNote(t, js, note{"a", 2}, false)
	durable.holds(t, "a1@1", "a2@2")
	must(t, js.DeleteStream(t.Context(), "cloudbus"))
	eventually(t, func() error { // the broker removes it behind our back, and would find it again
		_, err := os.Stat(filepath.Join(b.options.StoreDir, "jetstream", "$G", "streams", "cloudbus"))
		if err == nil {
			return errors.New("the stream's files are still there")
		}
		return nil
	})
	js, _ = cloudStream(t, b)
	for n := 3; n <= 6; n++ {
		takeNote(t, js, note{"a", n}, false)
	}
	select {
	case err := <-anew:
		if !errors.Is(err, natsbridge.ErrAnew) {
			t.Errorf("OnAnew got %v", err)
		}
	case <-time.After(15 * time.Second):
		t.Fatal("nobody says so")
	}
	closeBus(t, remote)
	var next notebook
	_, err = bus.Subscribe(remoteBus(t, b, natsbridge.RemoteOptions{}).Client("durable"), next.write, bus.Durable("mailer"))
	must(t, err)
	next.holds(t, "a3@1", "a4@2", "a5@3", "a6@4")
}

func TestRemoteSaysWhatIsWrongWithItsBucket(t *testing.T) {
	t.Parallel()
	for setting, bucket := range map[string]jetstream.KeyValueConfig{"TTL is 1h0m0s": {TTL: time.Hour}, "storage is": {Storage: jetstream.MemoryStorage}} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t).start()
			js, _ := cloudStream(t, b)
			bucket.Bucket = "cloudbus-remote"
			_, err := js.CreateKeyValue(t.Context(), bucket)
			must(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // it waits for the bucket to be mended
			defer cancel()
			_, err = natsbridge.Remote(ctx, b.url(), natsbridge.RemoteOptions{Logger: discard})
			var wrong *natsbridge.StreamError
			if !errors.As(err, &wrong) || !strings.Contains(wrong.Error(), setting) {
				t.Errorf("Remote says %v", err)
			}
		})
	}
}

// A process that was stopped for longer than its lease has not noticed yet that another has the name.
func TestRemoteThatWakesUpStoresNothing(t *testing.T) {
	t.Parallel()
	b := newBroker(t).start()
	js, _ := cloudStream(t, b)
	takeNote(t, js, note{Of: "a", N: 1}, false)
	takeNote(t, js, note{Of: "a", N: 2}, false)
	opened, end, err := natsbridge.RemoteJournal(t.Context(), b.url(), natsbridge.RemoteOptions{Logger: discard, Lease: time.Hour})
	must(t, err)
	defer end()
	j := opened.(remoteJournal)
	lease, err := j.Lease(t.Context(), "mailer", nil)
	must(t, err)
	must(t, j.SetCursor(t.Context(), "mailer", 1))
	must(t, j.Park(t.Context(), "mailer", bus.Parking{Seq: 1, Reason: "no", Tries: 3}))
	natsbridge.Sleep(lease)
	for what, err := range map[string]error{
		"a cursor":             j.SetCursor(t.Context(), "mailer", 2),
		"a parked event":       j.Park(t.Context(), "mailer", bus.Parking{Seq: 2, Reason: "no", Tries: 3}),
		"one that was handled": j.Unpark(t.Context(), "mailer", 1),
		"attempts":             j.StoreAttempts(t.Context(), "mailer", bus.Attempt{Seq: 2, Tries: 1}),
	} {
		if !errors.Is(err, bus.ErrLeaseLost) {
			t.Errorf("%s: %v, want ErrLeaseLost", what, err)
		}
	}
	select {
	case <-lease.Lost():
	default:
		t.Error("it doesn't know that the lease is lost")
	}
	if parked, err := j.Parked(t.Context(), bus.ParkedQuery{Subscription: "mailer"}); err != nil || len(parked) != 1 || parked[0].Seq != 1 {
		t.Errorf("parked are %v (%v)", parked, err)
	}
	if seq, _, err := j.Cursor(t.Context(), "mailer"); seq != 1 || err != nil {
		t.Errorf("the cursor is at %d (%v)", seq, err)
	}
}

func TestRemoteGoesOnWithoutItsBucket(t *testing.T) {
	b := newBroker(t).start()
	js, _ := cloudStream(t, b)
	remote := remoteBus(t, b, natsbridge.RemoteOptions{Lease: 600 * time.Millisecond})
	var durable notebook
	_, err := bus.Subscribe(remote.Client("durable"), durable.write, bus.Durable("mailer"))
	must(t, err)
	takeNote(t, js, note{"a", 1}, false)
	durable.holds(t, "a1@1")
	must(t, js.DeleteKeyValue(t.Context(), "cloudbus-remote"))
	takeNote(t, js, note{"a", 2}, false)
	eventually(t, func() error {
		kv, err := js.KeyValue(t.Context(), "cloudbus-remote")
		if err == nil {
			_, err = kv.Get(t.Context(), "cursor.mailer")
		}
		return err
	})
	eventually(t, func() error {
		durable.mu.Lock()
		defer durable.mu.Unlock()
		if !slices.Contains(durable.all, "a2@2") {
			return fmt.Errorf("heard %v", durable.all)
		}
		return nil
	})
}

func TestRemoteGoesOnWhenWhatItParksIsGone(t *testing.T) {
	b := newBroker(t).start()
	js, stream := cloudStream(t, b)
	remote := remoteBus(t, b, natsbridge.RemoteOptions{})
	var good notebook
	_, err := bus.Subscribe(remote.Client("mailer"), func(ctx context.Context, e bus.Event[note]) error {
		if e.Payload.Of == "bad" {
			if err := stream.Purge(ctx); err != nil {
				return err
			}
			return errors.New("can't")
		}
		return good.write(ctx, e)
	}, bus.Durable("mailer"), bus.Retry(1, time.Millisecond))
	must(t, err)
	takeNote(t, js, note{"bad", 1}, false)
	eventually(t, func() error {
		info, err := stream.Info(t.Context())
		if err == nil && info.State.Msgs > 0 {
			err = errors.New("not purged yet")
		}
		return err
	})
	takeNote(t, js, note{"good", 1}, false)
	good.holds(t, "good1@2")
	takeNote(t, js, note{"good", 2}, false)
	good.holds(t, "good1@2", "good2@3")
	_, err = remote.Replay(t.Context(), "mailer", "", "")
	must(t, err)
	must(t, remote.Flush(t.Context()))
}

func TestRemoteWaitsForTheStreamAsLongAsItsContextAllows(t *testing.T) {
	b := newBroker(t).start()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := natsbridge.Remote(ctx, b.url(), natsbridge.RemoteOptions{Logger: slog.New(slog.DiscardHandler)})
	var wrong *natsbridge.StreamError
	if !errors.As(err, &wrong) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Remote without a stream: %v", err)
	}
	var option *bridge.OptionError
	for _, o := range []natsbridge.RemoteOptions{{Lease: 1}, {Stream: "a.b"}, {Replicas: 6}, {Source: "a\nb"}} {
		if _, err := natsbridge.Remote(t.Context(), b.url(), o); !errors.As(err, &option) {
			t.Errorf("Remote with %+v: %v", o, err)
		}
	}
}

const remoteURL = "CLOUDBUS_TEST_REMOTE_URL"

// TestRemoteProcess is the process of TestRemotePluginInAnotherProcess.
func TestRemoteProcess(t *testing.T) {
	url := os.Getenv(remoteURL)
	if url == "" {
		t.Skip("it is run by TestRemotePluginInAnotherProcess")
	}
	log := slog.New(slog.DiscardHandler)
	b, err := natsbridge.Remote(t.Context(), url, natsbridge.RemoteOptions{Lease: 600 * time.Millisecond, Logger: log})
	must(t, err)
	must(t, resources.RegisterPayloads[vm.VM](b, vm.Machine))
	manager, err := plugins.NewManager(plugins.Options{Bus: b, Logger: log})
	must(t, err)
	must(t, manager.Add(&follower{}, plugins.Required()))
	must(t, manager.Start(t.Context()))
	select {} // until it is killed
}

// follower is a plugin that would run on a server just as well.
type follower struct{ plugins.Base }

func (*follower) Name() string { return "follower" }

func (*follower) Subscribe(c *bus.Client) error {
	_, err := bus.Subscribe(c, func(_ context.Context, e bus.Event[vm.Changed]) error {
		_, err := fmt.Printf("heard %s %d %s\n", e.ResourceID, e.Version, e.Payload.To)
		return err
	}, bus.Durable("follower"), bus.From(0))
	return err
}

// process runs TestRemoteProcess until stop is called, which kills it and returns what it heard.
func process(t *testing.T, b *broker) (heard func() []string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRemoteProcess$")
	cmd.Env = append(os.Environ(), remoteURL+"="+b.url())
	var mu sync.Mutex
	var out strings.Builder
	cmd.Stdout = writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return out.Write(p)
	})
	must(t, cmd.Start())
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	return func() (lines []string) {
		mu.Lock()
		defer mu.Unlock()
		for line := range strings.Lines(out.String()) {
			if rest, ours := strings.CutPrefix(line, "heard "); ours {
				lines = append(lines, strings.TrimSpace(rest))
			}
		}
		return lines
	}, kill
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestRemotePluginInAnotherProcess(t *testing.T) {
	b := newBroker(t).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: b.url()})
	const machines = 5
	var ids []string
	for range machines {
		ids = append(ids, h.create("acme").ID)
	}
	move := func() {
		for _, id := range ids {
			h.fire(id, vm.StartRequested, vm.OperationSucceeded)
			h.fire(id, vm.StopRequested, vm.OperationSucceeded)
		}
	}
	move()
	eventually(t, h.published(machines*5))
	first, kill := process(t, b)
	eventually(t, func() error {
		if n := len(first()); n < 10 {
			return fmt.Errorf("the first process has heard %d", n)
		}
		return nil
	})
	kill()
	move()
	second, _ := process(t, b)
	last := func() error {
		versions := map[string]uint64{}
		for _, line := range append(first(), second()...) {
			var id, to string
			var version uint64
			if _, err := fmt.Sscan(line, &id, &version, &to); err != nil {
				return err
			}
			if version > versions[id]+1 {
				t.Fatalf("%s: version %d after %d", id, version, versions[id])
			}
			versions[id] = max(versions[id], version)
		}
		for _, id := range ids {
			if versions[id] < 9 {
				return fmt.Errorf("%v", versions)
			}
		}
		return nil
	}
	eventually(t, last)
}
