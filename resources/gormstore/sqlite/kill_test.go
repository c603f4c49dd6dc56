package sqlite_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// childPath names the database in the environment of the process that is to be killed.
const childPath = "CLOUDBUS_TEST_KILL_PATH"

type fact struct {
	Key string `json:"key"`
}

func (fact) EventType() string { return "fact.stated" }

func attach(j *journal.Journal) error {
	_, err := j.Attach(bus.Attachment{
		Prepare: func(_ context.Context, p bus.Payload, _ ...bus.Stamp) (bus.Record, error) {
			data, err := json.Marshal(p)
			return bus.Record{Header: bus.Header{ID: bus.NewID(time.Now()), Type: p.EventType(), Time: time.Now()}, Data: data}, err
		},
		Wake: func(uint64) {},
	})
	return err
}

// TestKillChild is the process that is killed: it states facts, each a row and an event, and prints those that were acknowledged.
func TestKillChild(t *testing.T) {
	path := os.Getenv(childPath)
	if path == "" {
		return // only TestNothingIsLostWhenTheProcessIsKilled starts it for its purpose
	}
	store, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := attach(store.Writer()); err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				key := fmt.Sprintf("%d-%d", os.Getpid(), n.Add(1))
				if err := state(store.Writer(), key); err != nil {
					panic(err)
				}
				fmt.Printf("ack %s\n", key)
			}
		})
	}
	wg.Wait()
}

func state(j *journal.Journal, key string) error {
	return j.Do(context.Background(), func(tx *journal.Tx) error {
		if _, err := tx.Append(fact{Key: key}); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO facts VALUES (?)", key)
		return err
	})
}

func TestNothingIsLostWhenTheProcessIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	s := open(t, path)
	if err := write(s, "CREATE TABLE facts (key TEXT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)

	var acknowledged []string
	for kill := range 4 {
		acknowledged = append(acknowledged, killAfter(t, path, 50+37*kill)...)
	}

	j := open(t, path).Writer()
	var keys []string
	if err := j.DB().Table("facts").Pluck("key", &keys).Error; err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]bool)
	for _, k := range keys {
		rows[k] = true
	}
	for _, k := range acknowledged {
		if !rows[k] {
			t.Errorf("%s was acknowledged and is lost", k)
		}
	}
	var last uint64
	for {
		page, err := j.Read(t.Context(), last, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			var f fact
			if err := json.Unmarshal(r.Data, &f); err != nil || !rows[f.Key] || r.Seq != last+1 {
				t.Errorf("event %d (after %d) has no row: %s (%v)", r.Seq, last, r.Data, err)
			}
			delete(rows, f.Key)
			last = r.Seq
		}
	}
	if len(rows) > 0 {
		t.Errorf("%d rows have no event", len(rows))
	}
	if _, end, err := j.Bounds(t.Context()); err != nil || end != last || len(acknowledged) == 0 {
		t.Errorf("the journal ends at %d (%v), its last event is %d; %d were acknowledged", end, err, last, len(acknowledged))
	}
}

// killAfter runs the child until it has acknowledged n facts and returns those that it had.
func killAfter(t *testing.T, path string, n int) (acknowledged []string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKillChild$", "-test.timeout=60s")
	child.Env = append(os.Environ(), childPath+"="+path)
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
		if key, ok := strings.CutPrefix(lines.Text(), "ack "); ok {
			acknowledged = append(acknowledged, key)
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
