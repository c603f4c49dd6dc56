package natsbridge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/nats-io/nats.go/jetstream"
)

// What a broker that crashed may have lost, though it had acknowledged it, is younger than this: JetStream syncs its files every two minutes.
const lostAtMost = 10 * time.Minute

// storedCursor is a cursor's value in the bucket.
type storedCursor struct {
	Seq     uint64    `json:"seq"`
	Created time.Time `json:"created"` // of the stream that it is about
}

// key is a durable name's key of a kind. Bytes that keys can't have are =XX.
func key(kind, name string, more ...string) string {
	var b strings.Builder
	b.WriteString(kind + ".")
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return strings.Join(append([]string{b.String()}, more...), ".")
}

// Cursor returns what is stored. Of another stream of the same name it is the beginning; behind the stream's end, or at a number that was used again, it is where
// nothing was lost yet: the stream lost its end when its broker crashed.
func (j *remote) Cursor(ctx context.Context, name string) (seq uint64, known bool, err error) {
	stream, kv, asking, done, err := j.there(ctx)
	if err != nil {
		return 0, false, err
	}
	defer done()
	entry, stored, err := readCursor(asking, kv, name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, j.failed("cursor of "+name, err)
	}
	info, err := stream.Info(asking)
	if err != nil {
		return 0, false, j.failed("cursor of "+name, err)
	}
	switch {
	case !stored.Created.Equal(info.Created):
		j.log.Warn("nats: the stream was made anew; a durable subscription begins at its beginning", "name", name, "was_at", stored.Seq)
		return 0, true, nil
	case stored.Seq <= info.State.LastSeq && !reused(asking, stream, stored.Seq, entry.Created()):
		return stored.Seq, true, nil
	}
	seq, err = j.SeqBefore(ctx, entry.Created().Add(-lostAtMost))
	if err == nil {
		j.log.Warn("nats: the stream lost its end; a durable subscription goes back", "name", name, "was_at", stored.Seq, "to", seq)
	}
	return min(seq, stored.Seq), err == nil, err
}

// reused reports whether a message was stored later than the cursor that has passed it.
func reused(ctx context.Context, stream jetstream.Stream, seq uint64, stored time.Time) bool {
	if seq == 0 {
		return false
	}
	m, err := stream.GetMsg(ctx, seq)
	return err == nil && m.Time.After(stored)
}

func readCursor(ctx context.Context, kv jetstream.KeyValue, name string) (entry jetstream.KeyValueEntry, c storedCursor, err error) {
	if entry, err = kv.Get(ctx, key("cursor", name)); err != nil {
		return nil, c, err
	}
	return entry, c, json.Unmarshal(entry.Value(), &c)
}

// SetCursor raises a cursor, if this process still has the name.
func (j *remote) SetCursor(ctx context.Context, name string, seq uint64) error {
	stream, kv, ctx, done, err := j.there(ctx)
	if err != nil {
		return err
	}
	defer done()
	created := stream.CachedInfo().Created
	value, err := json.Marshal(storedCursor{Seq: seq, Created: created})
	if err != nil {
		return err
	}
	raise := func() error {
		ctx, cancel, err := j.fence(ctx, name)
		if err != nil {
			return err
		}
		defer cancel()
		entry, stored, err := readCursor(ctx, kv, name)
		switch {
		case errors.Is(err, jetstream.ErrKeyNotFound):
			_, err = kv.Create(ctx, key("cursor", name), value)
		case err == nil && stored.Created.Equal(created) && stored.Seq >= seq:
			return nil
		case err == nil:
			_, err = kv.Update(ctx, key("cursor", name), value, entry.Revision())
		}
		return err
	}
	for {
		switch err := raise(); {
		case err == nil || errors.Is(err, bus.ErrLeaseLost):
			return err
		case !outdated(err):
			return j.failed("cursor of "+name, err)
		}
	}
}

// outdated: somebody else has written meanwhile.
func outdated(err error) bool {
	return errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch)
}

// Attempts implements bus.AttemptKeeper. The attempts of a name are one value.
func (j *remote) Attempts(ctx context.Context, name string) ([]bus.Attempt, error) {
	_, kv, ctx, done, err := j.there(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	all, err := readAttempts(ctx, kv, name)
	if err != nil {
		return nil, j.failed("attempts of "+name, err)
	}
	return all, nil
}

func readAttempts(ctx context.Context, kv jetstream.KeyValue, name string) (all []bus.Attempt, err error) {
	entry, err := kv.Get(ctx, key("attempts", name))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(entry.Value(), &all)
}

// StoreAttempts implements bus.AttemptKeeper.
func (j *remote) StoreAttempts(ctx context.Context, name string, attempts ...bus.Attempt) error {
	return j.changeAttempts(ctx, name, func(all []bus.Attempt) []bus.Attempt {
		for _, a := range attempts {
			all = slices.DeleteFunc(all, func(b bus.Attempt) bool { return a.Seq == b.Seq })
			if a.Tries > 0 {
				all = append(all, a)
			}
		}
		slices.SortFunc(all, func(a, b bus.Attempt) int { return cmp.Compare(a.Seq, b.Seq) })
		return all
	})
}

// ForgetAttempts implements bus.AttemptKeeper.
func (j *remote) ForgetAttempts(ctx context.Context, name string) error {
	return j.changeAttempts(ctx, name, func([]bus.Attempt) []bus.Attempt { return nil })
}

func (j *remote) changeAttempts(ctx context.Context, name string, change func([]bus.Attempt) []bus.Attempt) error {
	j.tries.Lock()
	defer j.tries.Unlock()
	_, kv, ctx, done, err := j.there(ctx)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel, err := j.fence(ctx, name)
	if err != nil {
		return err
	}
	defer cancel()
	all, err := readAttempts(ctx, kv, name)
	if err != nil {
		return j.failed("attempts of "+name, err)
	}
	value, err := json.Marshal(change(all))
	if err == nil {
		_, err = kv.Put(ctx, key("attempts", name), value)
	}
	if err != nil {
		return j.failed("attempts of "+name, err)
	}
	return nil
}

// fence is bus.ErrLeaseLost if this process had the lease of a name and hasn't any more, or may not have: it may just wake up after another has taken it.
// What is written with the context that it returns doesn't begin later than the lease lasts.
func (j *remote) fence(ctx context.Context, name string) (context.Context, context.CancelFunc, error) {
	j.mu.Lock()
	l := j.leases[name]
	j.mu.Unlock()
	if l == nil {
		return ctx, func() {}, nil
	}
	until := *l.until.Load()
	if !time.Now().Before(until) {
		l.end()
	}
	if l.isOver() {
		return nil, nil, fmt.Errorf("%w: %s", bus.ErrLeaseLost, name)
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	return ctx, cancel, nil
}
