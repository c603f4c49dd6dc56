package bridge

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// arrival is a letter that came, and what it is.
type arrival struct {
	delivery Delivery
	record   bus.Record
	passed   bool   // the options don't ask for it
	own      bool   // it is known to be of a server on this database
	reason   string // why it is no event; "" if it is one
}

// begin makes this database known under a durable name, and keeps to the one it has.
func (i *Inward) begin(ctx context.Context) error {
	return i.rt.Write(ctx, func(tx *journal.Tx) error {
		durable := cmp.Or(i.options.Inlet.Durable, i.Name()+"-"+bus.NewID(i.rt.Now()).String())
		if _, err := tx.Exec("INSERT INTO bridge_inward (name, durable, newest) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING", i.options.Name, durable); err != nil {
			return err
		}
		if i.options.Inlet.Durable != "" {
			return nil
		}
		return tx.QueryRow("SELECT durable FROM bridge_inward WHERE name = $1", []any{i.options.Name}, &i.options.Inlet.Durable)
	})
}

// take stores a batch, and notes for Health what keeps it from being stored.
func (i *Inward) take(ctx context.Context, batch []Delivery) error {
	err := i.storeBatch(ctx, batch)
	switch {
	case err == nil:
		if i.waiting.Swap(nil) != nil {
			i.log.Info("letters are stored again")
		}
	case ctx.Err() == nil:
		if i.waiting.Swap(&err) == nil {
			i.log.Warn("letters wait for the database", "error", err)
		}
	}
	return err
}

// storeBatch stores a batch in one transaction. If that fails because of what a letter is, it stores the letters one by one,
// and refuses the one that can't be: no letter stops those behind it. What fails for any other reason comes again.
func (i *Inward) storeBatch(ctx context.Context, batch []Delivery) error {
	arrivals := make([]arrival, len(batch))
	for n, d := range batch {
		arrivals[n] = i.read(d)
	}
	err := i.store(ctx, arrivals)
	if err == nil || !itsFault(err) {
		return err
	}
	i.log.Warn("a batch can't be stored together", "error", err)
	for n := range arrivals {
		err := i.store(ctx, arrivals[n:n+1])
		if err == nil {
			continue
		}
		if !itsFault(err) {
			return err
		}
		arrivals[n].reason = err.Error()
		if err := i.store(ctx, arrivals[n:n+1]); err != nil {
			return err
		}
	}
	return nil
}

// itsFault reports an error that says something about what was to be stored, whatever the state of the database: one that PostgreSQL gives the class of a data
// exception, of a constraint, or of a limit, or that says so itself. SQLite has none for what read lets pass.
func itsFault(err error) bool {
	var header *bus.HeaderError
	var payload *bus.PayloadError
	if errors.Is(err, journal.ErrText) || errors.As(err, &header) || errors.As(err, &payload) {
		return true
	}
	var coded interface{ SQLState() string }
	if errors.Is(err, bus.ErrOutage) || !errors.As(err, &coded) {
		return false
	}
	class := coded.SQLState()
	return slices.Contains([]string{"22", "23", "54"}, class[:min(2, len(class))])
}

// read finds out what a letter is.
func (i *Inward) read(d Delivery) arrival {
	a := arrival{delivery: d}
	e, err := DecodeLetter(d.Letter)
	if err != nil {
		a.reason = err.Error()
		return a
	}
	a.record = bus.Record{Header: e.Header, Data: compact(e.Payload)}
	a.record.Seq = 0
	a.record.Schema = cmp.Or(e.Schema, 1)
	a.record.CorrelationID = cmp.Or(e.CorrelationID, e.ID.String())
	if e.Time.IsZero() {
		a.record.Time = d.Time
	}
	if a.passed = !i.options.admits(&a.record.Header); a.passed {
		return a
	}
	if a.own = i.sources.isLocal(a.record.Source); a.own {
		return a
	}
	a.reason = i.fault(&a)
	return a
}

// fault says what is wrong with an event that is one by its form.
func (i *Inward) fault(a *arrival) string {
	if tenant, eventType, err := ParseSubject(a.delivery.Subject); err == nil && (tenant != a.record.Tenant || eventType != a.record.Type) {
		return fmt.Sprintf("bridge: the subject says type %q of tenant %q, the event %q of %q", eventType, tenant, a.record.Type, a.record.Tenant)
	}
	if err := a.record.Check(); err != nil {
		return err.Error()
	}
	if _, err := journal.Nanoseconds(a.record.Time); err != nil {
		return err.Error()
	}
	if _, err := i.rt.Bus().Decode(a.record); err != nil {
		return err.Error()
	}
	return ""
}

// compact is data as encoding/json writes it; an event without data has null.
func compact(data []byte) []byte {
	if len(data) == 0 {
		return []byte("null")
	}
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return data // Check says why
	}
	return b.Bytes()
}

// store is one member of the journal's writer: events, ids, what was refused, and how far we are, or nothing of it.
func (i *Inward) store(ctx context.Context, arrivals []arrival) error {
	if t, idle := nothingToStore(arrivals); idle {
		i.counts.add(t)
		return nil
	}
	var s session
	err := i.rt.Write(ctx, func(tx *journal.Tx) error {
		s = session{i: i, tx: tx, foreign: map[string]bool{}}
		return s.run(arrivals)
	})
	if err != nil {
		return err
	}
	i.sources.learn(s.foreign)
	t := s.tally
	i.counts.add(t)
	if t.refused > 0 {
		i.log.Warn("letters were refused; they are kept", "letters", t.refused, "reason", lastReason(arrivals))
	}
	if t.old > 0 {
		i.log.Warn("letters were passed over: the stream stored them longer ago than repeats are known", "letters", t.old, "remember", i.options.Remember)
	}
	return nil
}

// nothingToStore is true for letters that nobody asked for or that are our own: all that this server sends comes back.
func nothingToStore(arrivals []arrival) (t tally, idle bool) {
	for _, a := range arrivals {
		switch {
		case a.passed:
			t.passed++
		case a.own:
			t.own++
		default:
			return t, false
		}
	}
	return t, true
}

func lastReason(arrivals []arrival) (reason string) {
	for _, a := range arrivals {
		reason = cmp.Or(a.reason, reason)
	}
	return reason
}

// session is one run of the member.
type session struct {
	i       *Inward
	tx      *journal.Tx
	tally   tally
	foreign map[string]bool // by source
}

func (s *session) run(arrivals []arrival) error {
	var newest int64
	if err := s.tx.QueryRow("SELECT newest FROM bridge_inward WHERE name = $1", []any{s.i.options.Name}, &newest); err != nil {
		return err
	}
	before, now := newest, s.i.rt.Now()
	forgotten := newest - s.i.options.Remember.Nanoseconds()
	for _, a := range arrivals {
		at := min(a.delivery.Time.UnixNano(), now.UnixNano())
		if err := s.settle(&a, at, at < forgotten); err != nil {
			return err
		}
		newest = max(newest, at)
	}
	if s.tally.received == 0 || newest == before {
		return nil
	}
	if _, err := s.tx.Exec("UPDATE bridge_inward SET newest = $1 WHERE name = $2", newest, s.i.options.Name); err != nil {
		return err
	}
	_, err := s.tx.Exec("DELETE FROM bridge_received WHERE name IN ($1, '') AND at < $2", s.i.options.Name, newest-s.i.options.Remember.Nanoseconds())
	return err
}

// settle does with a letter what is to be done with it.
func (s *session) settle(a *arrival, at int64, old bool) error {
	switch {
	case a.passed:
		s.tally.passed++
		return nil
	case a.own:
		s.tally.own++
		return nil
	case a.reason != "":
		return s.refuse(a)
	}
	foreign, err := s.isForeign(a.record.Source)
	switch {
	case err != nil:
		return err
	case !foreign:
		s.tally.own++
		return nil
	case old:
		s.tally.old++
		return nil
	}
	done, err := s.tx.Exec("INSERT INTO bridge_received (source, id, at, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", a.record.Source, a.record.ID.String(), at, s.i.options.Name)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		s.tally.repeated++
		return err
	}
	s.tally.received++
	return s.tx.AppendRecord(a.record)
}

func (s *session) isForeign(source string) (bool, error) {
	if foreign, known := s.foreign[source]; known {
		return foreign, nil
	}
	foreign, err := settleSource(s.tx, source, true)
	s.foreign[source] = foreign
	return foreign, err
}

// refuse keeps a letter that is no event, and forgets the oldest of too many.
func (s *session) refuse(a *arrival) error {
	s.tally.refused++
	kept := a.delivery.Letter
	kept.Data = kept.Data[:min(len(kept.Data), refusedBytesKept)]
	letter, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	reason := bytes.ToValidUTF8([]byte(a.reason), []byte("?"))
	var last int64
	if err := s.tx.QueryRow("SELECT COALESCE(MAX(n), 0) FROM bridge_refused WHERE name = $1", []any{s.i.options.Name}, &last); err != nil {
		return err
	}
	_, err = s.tx.Exec("INSERT INTO bridge_refused (name, n, at, seq, reason, size, letter) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		s.i.options.Name, last+1, s.i.rt.Now().UnixNano(), int64(a.delivery.Seq), string(bytes.ReplaceAll(reason, []byte{0}, []byte("?"))), int64(len(a.delivery.Data)), string(letter))
	if err == nil {
		_, err = s.tx.Exec("DELETE FROM bridge_refused WHERE name = $1 AND n <= $2", s.i.options.Name, last+1-refusedKept)
	}
	return err
}

// sleep waits unless ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
