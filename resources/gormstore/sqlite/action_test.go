package sqlite_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// process is what a process has of the database while it lives.
type process struct {
	store  *gormstore.Store
	bus    *bus.Bus
	engine *resources.Engine
}

func begin(path string) (*process, error) {
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(path, sqlite.Options{Logger: quiet})
	if err != nil {
		return nil, err
	}
	p := &process{store: store, bus: bus.New(bus.Options{Logger: quiet, Journal: store.Journal()})}
	p.engine, err = resources.New(resources.Options{Store: store, Bus: p.bus, Logger: quiet})
	return p, err
}

// end is an orderly end, which leaves open actions alone as a kill does.
func (p *process) end() error {
	return errors.Join(p.bus.Close(context.Background()), p.store.Close(context.Background()))
}

// acted reads the events of all actions.
func (p *process) acted() (events []resources.Acted, err error) {
	for last := uint64(0); ; {
		page, err := p.store.Journal().Read(context.Background(), last, 1000)
		if err != nil || len(page) == 0 {
			return events, err
		}
		for _, r := range page {
			var a resources.Acted
			if err := json.Unmarshal(r.Data, &a); err != nil {
				return nil, err
			}
			events, last = append(events, a), r.Seq
		}
	}
}

// childActs names the database in the environment of the process that acts until it is killed.
const childActs = "CLOUDBUS_TEST_ACTIONS_PATH"

// TestActionChild is that process. It prints what was acknowledged.
func TestActionChild(t *testing.T) {
	path := os.Getenv(childActs)
	if path == "" {
		return // only TestActionsOfAKilledProcessAreClosed starts it for its purpose
	}
	p, err := begin(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if _, err := p.engine.Schedule(t.Context(), "user:1", "vm", "wait"); err != nil {
			t.Fatal(err)
		}
		ctx, done, err := p.engine.Action(t.Context(), "user:1", "vm", "start")
		if err != nil {
			t.Fatal(err)
		}
		action, _ := bus.Cause(ctx)
		fmt.Printf("ack open %s\n", action.CausationID)
		if n%3 > 0 {
			continue // it is never ended
		}
		if err := done(nil); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("ack done %s\n", action.CausationID)
	}
}

func TestActionsOfAKilledProcessAreClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	var acknowledged []string
	for kill := range 3 {
		acknowledged = append(acknowledged, killActing(t, path, 20+7*kill)...)
	}
	p, err := begin(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- p.engine.Run(ctx) }()
	for left := -1; left != 0; {
		open, _, err := p.engine.Actions(t.Context(), resources.ActionQuery{})
		if err != nil {
			t.Fatal(err)
		}
		if left = len(open); left > 0 {
			time.Sleep(time.Millisecond) // there is nothing to be told by
		}
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	events, err := p.acted()
	if err != nil {
		t.Fatal(err)
	}
	storetest.WantActions(t, events)
	ends := map[string]resources.Acted{}
	abandoned := 0
	for _, e := range events {
		if !e.EndedAt.IsZero() {
			ends[e.Action.String()] = e
		}
		if e.Failure == resources.FailureAbandoned && e.Error == "the server stopped" {
			abandoned++
		}
	}
	for _, line := range acknowledged {
		what, id, _ := strings.Cut(line, " ")
		if end, ok := ends[id]; !ok || what == "done" && end.Status != resources.ActionSucceeded {
			t.Errorf("%s was acknowledged, and ended so: %+v", line, end)
		}
	}
	if abandoned < len(acknowledged)/2 {
		t.Errorf("%d actions were abandoned, of %d acknowledgements", abandoned, len(acknowledged))
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
}

// killActing runs the child until it has acknowledged n things and returns those that it had.
func killActing(t *testing.T, path string, n int) (acknowledged []string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestActionChild$", "-test.timeout=120s")
	child.Env = append(os.Environ(), childActs+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if line, ok := strings.CutPrefix(lines.Text(), "ack "); ok {
			acknowledged = append(acknowledged, line)
		}
		if len(acknowledged) == n {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return acknowledged
}

// Processes follow one another, each ends some of its actions; in the end each action has one end, and those that had theirs keep it.
func TestActionsEndOnceWhateverRestarts(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n, ".db"))
		told := map[string]resources.ActionStatus{}
		for range rapid.IntRange(1, 4).Draw(rt, "processes") {
			p, err := begin(path)
			if err != nil {
				rt.Fatal(err)
			}
			p.live(rt, told)
			if err := p.end(); err != nil {
				rt.Fatal(err)
			}
		}
		p, err := begin(path)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = p.end() }()
		if _, err := p.engine.CloseActions(context.Background()); err != nil {
			rt.Fatal(err)
		}
		events, err := p.acted()
		if err != nil {
			rt.Fatal(err)
		}
		storetest.WantActions(rt, events)
		for _, e := range events {
			want, ok := told[e.Action.String()]
			if !e.EndedAt.IsZero() && (ok != (e.Failure != resources.FailureAbandoned) || ok && e.Status != want) {
				rt.Errorf("%+v, its caller was told %q", e, want)
			}
		}
	})
}

// live is what one process does.
func (p *process) live(rt *rapid.T, told map[string]resources.ActionStatus) {
	if rapid.Bool().Draw(rt, "closes at its start") {
		if _, err := p.engine.CloseActions(context.Background()); err != nil {
			rt.Fatal(err)
		}
	}
	for range rapid.IntRange(0, 5).Draw(rt, "actions") {
		a, err := p.engine.Schedule(context.Background(), "user:1", "vm", "start")
		if err != nil {
			rt.Fatal(err)
		}
		id := a.ID().String()
		switch rapid.SampledFrom([]string{"leave", "cancel", "start", "succeed", "fail"}).Draw(rt, "fate") {
		case "cancel":
			err, told[id] = a.Cancel(context.Background(), errors.New("cancelled")), resources.ActionFailed
		case "start":
			_, _, err = a.Start(context.Background())
		case "succeed":
			var done resources.Done
			if _, done, err = a.Start(context.Background()); err == nil {
				err, told[id] = done(nil), resources.ActionSucceeded
			}
		case "fail":
			var done resources.Done
			if _, done, err = a.Start(context.Background()); err == nil {
				_, told[id] = done(errors.New("no room")), resources.ActionFailed
			}
		}
		if err != nil {
			rt.Fatal(err)
		}
	}
}

func TestActionWhoseStoreIsClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	p, err := begin(path)
	if err != nil {
		t.Fatal(err)
	}
	_, done, err := p.engine.Action(t.Context(), "user:1", "vm", "start")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	if err := done(nil); err == nil {
		t.Error("the end was recorded in a store that is closed")
	}
	if p, err = begin(path); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.end() }()
	if closed, err := p.engine.CloseActions(t.Context()); err != nil || closed != 1 {
		t.Errorf("%d actions closed, %v, want 1", closed, err)
	}
	if closed, err := p.engine.CloseActions(t.Context()); err != nil || closed != 0 {
		t.Errorf("again: %d actions closed, %v", closed, err)
	}
}
