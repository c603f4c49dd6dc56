package status_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
	"github.com/cloudbus-go/cloudbus/bus"
)

func openSpool(t *testing.T, path string) *status.FileSpool {
	t.Helper()
	s, err := status.OpenFileSpool(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func record(id string, s status.Status, sequence uint64) status.Spooled {
	return status.Spooled{
		Observation: status.Observation{ServiceType: "vm", ID: id, Status: s, Time: sampleTime},
		EventID:     bus.NewID(sampleTime), Sequence: sequence, Pending: true, At: sampleTime,
	}
}

func load(t *testing.T, s status.Spool) []status.Spooled {
	t.Helper()
	records, err := s.Load(background)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(records, func(a, b status.Spooled) int { return strings.Compare(a.Observation.ID, b.Observation.ID) })
	return records
}

func write(t *testing.T, s status.Spool, batch ...status.Spooled) {
	t.Helper()
	if err := s.Write(background, batch); err != nil {
		t.Fatal(err)
	}
}

func TestFileSpoolKeepsTheNewestOfEachResource(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	s := openSpool(t, path)
	newest, other := record("1", status.Stopped, 2), record("2", status.Running, 1)
	write(t, s, record("1", status.Running, 1), other)
	write(t, s, newest, record("gone", status.Deleted, 1))
	gone := record("gone", "", 1)
	gone.Gone = true
	write(t, s, gone)
	want := []status.Spooled{newest, other}
	if have := load(t, s); !reflect.DeepEqual(have, want) {
		t.Errorf("kept %+v", have)
	}
	if _, err := status.OpenFileSpool(path); !errors.Is(err, status.ErrSpoolInUse) {
		t.Errorf("opened twice: %v", err)
	}
	s.Close()
	if have := load(t, openSpool(t, path)); !reflect.DeepEqual(have, want) {
		t.Errorf("after a restart %+v", have)
	}
}

// TestFileSpoolSurvivesTornWrites cuts the file at each of its bytes, and damages each of them.
func TestFileSpoolSurvivesTornWrites(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "spool")
	s := openSpool(t, path)
	first, second := record("1", status.Running, 1), record("2", status.Running, 1)
	write(t, s, first)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ends := len(whole) // of the first record
	write(t, s, second)
	if whole, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	s.Close()
	try := func(b []byte) (ids []string, damaged int) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s := openSpool(t, path)
		defer s.Close()
		write(t, s, record("3", status.Running, 1))
		s.Close()
		s = openSpool(t, path)
		defer s.Close()
		for _, r := range load(t, s) {
			ids = append(ids, r.Observation.ID)
		}
		return ids, s.Damaged()
	}
	for cut := 0; cut <= len(whole); cut += 7 {
		want := []string{"3"}
		if cut >= ends {
			want = []string{"1", "3"}
		}
		if cut == len(whole) {
			want = []string{"1", "2", "3"}
		}
		if ids, damaged := try(whole[:cut]); !slices.Equal(ids, want) || damaged != 0 {
			t.Errorf("cut at %d of %d: %v, %d damaged lines left", cut, len(whole), ids, damaged)
		}
	}
	for at := 0; at < ends; at += 11 {
		b := slices.Clone(whole)
		b[at] ^= 0x01
		if ids, _ := try(b); !slices.Equal(ids, []string{"2", "3"}) {
			t.Errorf("damaged at %d: %v", at, ids)
		}
	}
}

func TestFileSpoolIsWrittenAnewWhenMostOfItIsOutOfDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	s := openSpool(t, path)
	var largest int64
	for i := range uint64(100) {
		batch := make([]status.Spooled, 50)
		for j := range batch {
			batch[j] = record("1", status.Running, 50*i+uint64(j)+1)
		}
		write(t, s, batch...)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	if largest > 400<<10 {
		t.Errorf("the file grew to %d bytes", largest)
	}
	if have := load(t, s); len(have) != 1 || have[0].Sequence != 5000 {
		t.Errorf("kept %+v", have)
	}
}

func TestFileSpoolSaysWhatIsWrong(t *testing.T) {
	if _, err := status.OpenFileSpool(filepath.Join(t.TempDir(), "none", "spool")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "spool"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := status.OpenFileSpool(filepath.Join(folder, "spool")); err == nil {
		t.Error("a folder was opened")
	}
	s := openSpool(t, filepath.Join(folder, "other"))
	s.Close()
	if err := s.Write(background, []status.Spooled{record("1", status.Running, 1)}); err == nil {
		t.Error("written after Close")
	}
}

func TestARestartDuringAnOutageLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "spool")
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{Spool: openSpool(t, path)})
		report(t, r, "1", status.Running)
		report(t, r, "2", status.Running)
		report(t, r, "3", status.Running)
		time.Sleep(time.Minute)
		m.Away(true)
		report(t, r, "1", status.Stopped)
		report(t, r, "2", status.Deleted)
		began := time.Now()
		closeReporter(t, r)
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("Close waited for %v though the spool has everything", waited)
		}

		m.Away(false)
		r = newReporter(t, m, status.ReporterOptions{Spool: openSpool(t, path), Resync: -1, Now: func() time.Time { return time.Unix(1, 0) }})
		time.Sleep(time.Minute)
		all := received(t, m)
		expect(t, statuses(all, "1"), status.Running, status.Stopped)
		expect(t, statuses(all, "2"), status.Running, status.Deleted)
		if known := r.Known("vm"); !slices.Equal(known, []string{"1", "3"}) {
			t.Errorf("known: %v", known)
		}
		report(t, r, "3", status.Running) // what the broker knows
		report(t, r, "1", status.Running) // the clock was set back, but sequences rise
		time.Sleep(time.Minute)
		all = received(t, m)
		expect(t, statuses(all, "1"), status.Running, status.Stopped, status.Running)
		expect(t, statuses(all, "3"), status.Running)
		rising(t, all)
		closeReporter(t, r)
	})
}

// crash is a spool whose process dies: nothing reaches it any more, not even Close.
type crash struct {
	status.Spool
	dead atomic.Bool
}

func (c *crash) Write(ctx context.Context, batch []status.Spooled) error {
	if c.dead.Load() {
		return io.ErrClosedPipe
	}
	return c.Spool.Write(ctx, batch)
}

func TestACrashAfterSendingSendsTheSameIDAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "spool")
		m := transporttest.New()
		c := &crash{Spool: openSpool(t, path)}
		f := &flaky{Memory: m}
		r := newReporter(t, f, status.ReporterOptions{Spool: c})
		var first string
		f.publish = func(_ context.Context, l bridge.Letter) error {
			first = l.ID
			c.dead.Store(true) // it was written down before it was sent, and nothing is written afterwards
			return nil
		}
		report(t, r, "1", status.Running)
		synctest.Wait()
		r.Close(background)

		var again string
		f = &flaky{Memory: m, publish: func(_ context.Context, l bridge.Letter) error { again = l.ID; return nil }}
		r = newReporter(t, f, status.ReporterOptions{Spool: openSpool(t, path)})
		closeReporter(t, r)
		if first == "" || again != first {
			t.Errorf("first %q, then %q", first, again)
		}
	})
}

func TestAFailingSpoolDoesntKeepReportsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crash{Spool: openSpool(t, filepath.Join(t.TempDir(), "spool"))}
		c.dead.Store(true)
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{Spool: c})
		report(t, r, "1", status.Running)
		synctest.Wait()
		expect(t, statuses(received(t, m), "1"), status.Running)
		var broken *status.SpoolError
		if err := r.Health(background); !errors.As(err, &broken) {
			t.Errorf("health: %v", err)
		}
		c.dead.Store(false)
		time.Sleep(time.Minute)
		if err := r.Health(background); err != nil {
			t.Errorf("health: %v", err)
		}
		closeReporter(t, r)
	})
}

func TestAStatusThatCameBackIsntSentAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "spool")
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{Spool: openSpool(t, path), Window: time.Hour, MaxWait: time.Hour})
		report(t, r, "1", status.Running)
		time.Sleep(time.Second)
		report(t, r, "1", status.Stopped)
		time.Sleep(time.Second)
		report(t, r, "1", status.Running)
		time.Sleep(time.Second)
		closeReporter(t, r)
		r = newReporter(t, m, status.ReporterOptions{Spool: openSpool(t, path), Resync: -1})
		time.Sleep(time.Minute)
		expect(t, statuses(received(t, m), "1"), status.Running)
		closeReporter(t, r)
	})
}
