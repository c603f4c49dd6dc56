package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// cloud is a server with VMs in a file.
type cloud struct {
	store *gormstore.Store
	bus   *bus.Bus
	vms   *resources.Kind[vm.VM]
}

func openCloud(t *testing.T, path string) *cloud {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(path, sqlite.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.Options{Journal: store.Journal(), Logger: quiet})
	t.Cleanup(func() {
		if err := errors.Join(b.Close(context.Background()), store.Close(context.Background())); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Logger: quiet, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		t.Fatal(err)
	}
	vms, err := resources.Register[vm.VM](engine, vm.Machine)
	if err != nil {
		t.Fatal(err)
	}
	return &cloud{store, b, vms}
}

func (c *cloud) create(t *testing.T, n int) (ids []string) {
	t.Helper()
	made, err := c.vms.CreateBatch(t.Context(), make([]vm.VM, n))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range made {
		ids = append(ids, v.ID)
	}
	return ids
}

// load moves VMs at random until stop is called, which returns how many moves there were.
func (c *cloud) load(t *testing.T, ids []string) (moves *atomic.Int64, stop func()) {
	t.Helper()
	moves = new(atomic.Int64)
	ctx, cancel := context.WithCancel(context.Background())
	var busy sync.WaitGroup
	for range 8 {
		busy.Go(func() {
			for ctx.Err() == nil {
				triggers := []fsm.Trigger{vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.MigrationRequested}
				ch, err := c.vms.Fire(context.Background(), ids[rand.IntN(len(ids))], triggers[rand.IntN(len(triggers))])
				switch {
				case err == nil && ch.Changed():
					moves.Add(1)
				case err != nil && !errors.As(err, new(*fsm.TransitionError)) && !errors.Is(err, resources.ErrConflict):
					t.Error(err)
				}
			}
		})
	}
	return moves, func() { cancel(); busy.Wait() }
}

// checkWhole checks that resources and journal are of one moment: numbers without holes, and as many events of each VM as it has versions.
func (c *cloud) checkWhole(t *testing.T, vms int) (events uint64) {
	t.Helper()
	versions, last := map[string]uint64{}, uint64(0)
	for {
		page, err := c.store.Journal().Read(t.Context(), last, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			if r.Seq != last+1 || r.Version != versions[r.ResourceID]+1 {
				t.Fatalf("number %d after %d, version %d of %s after %d", r.Seq, last, r.Version, r.ResourceID, versions[r.ResourceID])
			}
			last, versions[r.ResourceID] = r.Seq, r.Version
		}
	}
	if _, head, err := c.store.Journal().Bounds(t.Context()); err != nil || head != last {
		t.Errorf("the journal's head is %d (%v), its newest event %d", head, err, last)
	}
	n := 0
	for q := (resources.Query{Limit: 1000}); ; {
		page, err := c.vms.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Items {
			if v.Version != versions[v.ID] {
				t.Errorf("%s has version %d and %d events", v.ID, v.Version, versions[v.ID])
			}
		}
		n += len(page.Items)
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if n != vms {
		t.Errorf("%d VMs, want %d", n, vms)
	}
	return last
}

func TestBackupUnderLoadIsOfOneMoment(t *testing.T) {
	c := openCloud(t, filepath.Join(t.TempDir(), "cloud.db"))
	ids := c.create(t, 1000)
	if err := c.store.Writer().SetCursor(t.Context(), "billing", 7); err != nil {
		t.Fatal(err)
	}
	moves, stop := c.load(t, ids)
	var copies []string
	for i := range 3 {
		before := moves.Load()
		var steps []int
		path := filepath.Join(t.TempDir(), fmt.Sprintf("copy%d.db", i))
		total := 0
		err := c.store.Backup(t.Context(), path, gormstore.BackupOptions{Progress: func(done, of int) {
			steps, total = append(steps, done), of
			for now := moves.Load(); moves.Load() == now; { // writers go on between two steps
				runtime.Gosched()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if len(steps) == 0 || steps[len(steps)-1] != total || moves.Load() == before {
			t.Errorf("steps %v of %d, %d moves meanwhile", steps, total, moves.Load()-before)
		}
		copies = append(copies, path)
	}
	stop()
	all := c.checkWhole(t, 1000)
	last := uint64(0)
	for _, path := range copies {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the mode is %v (%v), want 0600", info.Mode(), err)
		}
		if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
			t.Errorf("beside the backup there is more: %v, %v", files, err)
		}
		restored := openCloud(t, path)
		if seq, known, err := restored.store.Journal().Cursor(t.Context(), "billing"); err != nil || !known || seq != 7 {
			t.Errorf("the cursor is %d, %v, %v", seq, known, err)
		}
		events := restored.checkWhole(t, 1000)
		if events <= last || events > all {
			t.Errorf("%d events, want more than %d and at most %d", events, last, all)
		}
		last = events
		if _, err := restored.vms.Create(t.Context(), vm.VM{}); err != nil { // it is as good as the first
			t.Error(err)
		}
	}
}

func TestBackupIsDoneWholeOrNotAtAll(t *testing.T) {
	own := filepath.Join(t.TempDir(), "cloud.db")
	c := openCloud(t, own)
	for range 3 {
		c.create(t, 1000)
	}
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken.db")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, b := range map[string]struct {
		path     string
		progress func(int, int)
		want     error
	}{
		"a path that is taken":    {path: taken, want: fs.ErrExist},
		"the database itself":     {path: own, want: fs.ErrExist},
		"a directory":             {path: dir, want: fs.ErrExist},
		"no such directory":       {path: filepath.Join(dir, "none", "x.db"), want: fs.ErrNotExist},
		"cancelled in the middle": {path: filepath.Join(dir, "x.db"), progress: func(int, int) { cancel() }, want: context.Canceled},
		"taken meanwhile": {path: filepath.Join(dir, "late.db"), progress: func(int, int) {
			if err := os.WriteFile(filepath.Join(dir, "late.db"), []byte("precious"), 0o600); err != nil {
				t.Error(err)
			}
		}, want: fs.ErrExist},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := ctx
			if b.want != context.Canceled {
				ctx = t.Context()
			}
			if err := c.store.Backup(ctx, b.path, gormstore.BackupOptions{Progress: b.progress}); !errors.Is(err, b.want) {
				t.Errorf("%v, want %v", err, b.want)
			}
		})
	}
	if err := c.store.Backup(t.Context(), "", gormstore.BackupOptions{}); err == nil {
		t.Error("an empty path was taken")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("left behind: %v (%v), want taken.db and late.db", files, err)
	}
	for _, f := range files {
		if text, err := os.ReadFile(filepath.Join(dir, f.Name())); string(text) != "precious" {
			t.Errorf("%s is now %.20q (%v)", f.Name(), text, err)
		}
	}
}

// SQLite would take what a deleted database has left beside its path for the newest part of the backup.
func TestABackupIsNotMixedWithWhatAnotherDatabaseLeft(t *testing.T) {
	c := openCloud(t, filepath.Join(t.TempDir(), "cloud.db"))
	ids := c.create(t, 10)
	dir := t.TempDir()
	path := filepath.Join(dir, "copy.db")
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		t.Run(suffix, func(t *testing.T) {
			left := path + suffix
			if err := os.WriteFile(left, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := c.store.Backup(t.Context(), path, gormstore.BackupOptions{}); !errors.Is(err, fs.ErrExist) || !strings.Contains(fmt.Sprint(err), left) {
				t.Errorf("%v, want ErrExist that names %s", err, left)
			}
			if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
				t.Errorf("in the directory: %v (%v), want what was left there alone", files, err)
			}
			if err := os.Remove(left); err != nil {
				t.Fatal(err)
			}
			_ = os.Remove(path)
		})
	}
	if err := c.store.Backup(t.Context(), path, gormstore.BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	openCloud(t, path).checkWhole(t, len(ids))
}

func TestCloseEndsABackup(t *testing.T) {
	dir := t.TempDir()
	store, err := sqlite.Open(filepath.Join(dir, "cloud.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := write(store, "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	if err := write(store, "INSERT INTO t VALUES (zeroblob(10000000))"); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	begun := sync.OnceFunc(func() { go func() { closed <- store.Close(context.Background()) }() })
	err = store.Backup(t.Context(), filepath.Join(dir, "copy.db"), gormstore.BackupOptions{Progress: func(int, int) {
		begun()
		for !errors.Is(store.Backup(context.Background(), "", gormstore.BackupOptions{}), journal.ErrClosed) { // until the store is closing
			runtime.Gosched()
		}
	}})
	if !errors.Is(err, journal.ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := store.Backup(t.Context(), filepath.Join(dir, "copy.db"), gormstore.BackupOptions{}); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("after Close: %v, want ErrClosed", err)
	}
}

// A backup is older than the database: who has read beyond it must hear of it.
func TestACursorPastTheEndOfARestoredBackup(t *testing.T) {
	dir := t.TempDir()
	c := openCloud(t, filepath.Join(dir, "cloud.db"))
	c.create(t, 10)
	if err := c.store.Backup(t.Context(), filepath.Join(dir, "copy.db"), gormstore.BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	restored := openCloud(t, filepath.Join(dir, "copy.db"))
	if err := restored.store.Writer().SetCursor(t.Context(), "bridge", 11); !errors.Is(err, journal.ErrCursorPastEnd) {
		t.Errorf("a position from before the restore: %v, want ErrCursorPastEnd", err)
	}
	if err := write(restored.store, "INSERT INTO journal_cursor (name, seq, updated_at) VALUES ('bridge', 11, 1)"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := restored.store.Journal().Cursor(t.Context(), "bridge"); !errors.Is(err, journal.ErrCursorPastEnd) {
		t.Errorf("a cursor from before the restore: %v, want ErrCursorPastEnd", err)
	}
}
