package cascade_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins/cascade"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/cluster"
	"github.com/cloudbus-go/cloudbus/resources/container"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// childPath names the database in the environment of the process that is to be killed.
const childPath = "CLOUDBUS_TEST_KILL_PATH"

// openAt is open on a file.
func openAt(t testing.TB, path string, extra ...resources.Listener) *house {
	t.Helper()
	store, err := sqlite.Open(path, sqlite.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: store, listeners: extra}
	h.serve()
	return h
}

// end closes a house before its test ends.
func (h *house) end() {
	h.t.Helper()
	h.stop()
	if err := errors.Join(h.bus.Close(context.Background()), h.store.Close(context.Background())); err != nil {
		h.t.Fatal(err)
	}
}

// TestKillChild is the process that is killed: it draws consequences, and tells of each that is committed.
func TestKillChild(t *testing.T) {
	path := os.Getenv(childPath)
	if path == "" {
		return // only TestNoConsequenceIsLostWhenTheProcessIsKilled starts it for its purpose
	}
	tell := listeners.Funcs{ListenerName: "tell", OnAfter: func(_ context.Context, c resources.Change, err error) {
		if err == nil && c.Changed() {
			fmt.Printf("did %s\n", c.ResourceID)
		}
	}}
	h := openAt(t, path, tell)
	h.mustStart()
	<-t.Context().Done() // never: it is killed before
}

// TestNoConsequenceIsLostWhenTheProcessIsKilled kills a server three times in the midst of what follows from the end of a cluster.
func TestNoConsequenceIsLostWhenTheProcessIsKilled(t *testing.T) {
	const n = 600
	path := filepath.Join(t.TempDir(), "cloud.db")
	h := openAt(t, path)
	h.mustStart() // so that its position in the journal is there
	h.make(&cluster.Cluster{Object: object("k8s")})
	objs := make([]any, n)
	for i := range objs {
		objs[i] = &container.Container{Object: object(fmt.Sprintf("c%03d", i)), ClusterID: "k8s"}
	}
	if _, err := h.kind("container").CreateBatch(t.Context(), objs); err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.stop()
	h.fire("cluster", "k8s", cluster.ReportDeleted)
	h.end()

	for _, after := range []int{1, 60, 150} {
		killAfter(t, path, after)
	}
	h = openAt(t, path)
	counts, err := h.kind("container").CountStates(t.Context())
	if err != nil || counts[container.Pending] == 0 || counts[container.Deleted] < 211 {
		t.Fatalf("after three deaths %v, %v: want some that are done, and some that aren't", counts, err)
	}
	t.Logf("after three deaths %v", counts)
	h.mustStart()
	h.settle()
	if counts, err = h.kind("container").CountStates(t.Context()); err != nil || counts[container.Deleted] != n {
		t.Errorf("after the next start %v, %v, want %d that are deleted", counts, err, n)
	}
	// Each once, each by the same cause.
	cause, events := "", 0
	for after := uint64(0); ; {
		page, err := h.store.Journal().Read(t.Context(), after, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			after = r.Seq
			switch r.Type {
			case "cluster.state.deleted":
				cause = r.ID.String()
			case "container.state.deleted":
				events++
				if r.CausationID != cause || r.CorrelationID != cause {
					t.Errorf("%s was caused by %q, in %q, want %s", r.Subject(), r.CausationID, r.CorrelationID, cause)
				}
			}
		}
	}
	if events != n {
		t.Errorf("%d events, want %d", events, n)
	}
}

// killAfter runs the child until it has done so much.
func killAfter(t *testing.T, path string, n int) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKillChild$", "-test.timeout=120s")
	child.Env = append(os.Environ(), childPath+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	done := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "did ") {
			done++
		}
		if done == n {
			_ = child.Process.Kill()
		}
	}
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// TestTheChainCanBeFollowed walks from a last consequence up to its first cause.
func TestTheChainCanBeFollowed(t *testing.T) {
	h := open(t, cascade.Options{})
	h.mustStart()
	h.cloud("web")
	h.fire("vm", "web", "stop_requested", "operation_succeeded", "destroy_requested", "expunge_requested")
	h.settle()
	// A driver carries out what was begun, as drivers do: with the context of the event.
	_, err := bus.Subscribe(h.bus.Client("driver"), func(ctx context.Context, e bus.Event[resources.AnyChanged]) error {
		c := e.Payload.What()
		if c.Operation != c.ID {
			return nil
		}
		_, err := h.kind(c.Kind).Fire(ctx, c.ResourceID, "operation_succeeded", resources.Operation(c.ID), resources.Actor("driver"))
		return err
	}, bus.Durable("driver"), bus.From(0), bus.Type("*.state.detaching"), bus.Type("*.state.expunging"), bus.Type("*.state.releasing"))
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	records, err := h.store.Journal().Read(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	byID, last := map[string]bus.Record{}, bus.Record{}
	for _, r := range records {
		byID[r.ID.String()] = r
		if r.Subject() == "volume/web-root" {
			last = r
		}
	}
	var types []string
	for r, ok := last, true; ok; r, ok = byID[r.CausationID] {
		var c resources.Change
		if err := decode(r.Data, &c); err != nil {
			t.Fatal(err)
		}
		t.Logf("%3d  %-24s %-16s by %-8s %s", r.Seq, r.Type, r.Subject(), r.Actor, c.Reason)
		types = append(types, r.Type)
		if r.CorrelationID != last.CorrelationID {
			t.Errorf("%s has correlation %s, want %s", r.Type, r.CorrelationID, last.CorrelationID)
		}
	}
	const want = "volume.state.destroyed volume.state.ready volume.state.detaching vm.state.expunged vm.state.expunging"
	if got := strings.Join(types, " "); got != want {
		t.Errorf("the chain is %s, want %s", got, want)
	}
}
