package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	eventsPath = "/v1/events"

	firstPause = 500 * time.Millisecond
	maxPause   = 15 * time.Second
	// maxSilence is three of the server's heartbeats: a connection that says less is dead, whatever the network thinks of it.
	maxSilence = 45 * time.Second
)

// Interruption is what a stream that goes on by itself tells of.
type Interruption struct {
	Err   error         // why the connection is lost, or couldn't be made again; nil: it goes on
	Pause time.Duration // until the next try
	After string        // number of the last event that came
}

// errSilent: nothing came over a connection for too long.
var errSilent = errors.New("the connection has gone silent")

// Follow yields events as they come, for ever: filters and the start as in the parameters of /v1/events. Without a start ("after", "since") it is the present. When
// the connection is lost it connects again, after pauses that grow, and goes on behind the last event, so that none is missed or told twice;
// tell hears of it. The first connection must succeed, and what the server refuses is final. Errors: those of Read.
func (c *Client) Follow(ctx context.Context, query url.Values, tell func(Interruption)) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		f := &following{client: c, query: maps.Clone(query), tell: tell, yield: yield}
		if f.query == nil {
			f.query = url.Values{}
		}
		if err := f.run(ctx); err != nil && !f.stopped {
			yield(Event{}, err)
		}
	}
}

// following is one call of Follow.
type following struct {
	client  *Client
	query   url.Values
	tell    func(Interruption)
	yield   func(Event, error) bool
	stopped bool   // by who ranges over it
	last    string // id of the last event; "": none came
	up      bool   // a connection was made, ever
	lost    bool   // and is lost
	pause   time.Duration
}

func (f *following) run(ctx context.Context) error {
	if err := f.begin(ctx); err != nil {
		return err
	}
	f.query.Set("stream", "true")
	for {
		err := f.connect(ctx)
		if f.stopped || ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !f.up || !transient(err) {
			return err
		}
		f.lost = true
		f.pause = min(max(2*f.pause, firstPause), maxPause)
		wait := f.pause/2 + rand.N(f.pause/2) // so that the clients of a server that starts again don't come all at once
		f.tell(Interruption{Err: err, Pause: wait.Round(10 * time.Millisecond), After: f.last})
		if err := f.client.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// begin fixes the start, so that a connection that is lost before the first event doesn't lose what comes until the next.
func (f *following) begin(ctx context.Context) error {
	if f.query.Has("after") || f.query.Has("since") {
		return nil
	}
	newest := Listing{Path: eventsPath, Query: url.Values{"order": {"newest"}}, Items: "events", Cursor: "before", Most: 1}
	f.query.Set("after", "0")
	for e, err := range Decoded[Event](f.client, newest, f.client.List(ctx, newest)) {
		if err != nil {
			return err
		}
		f.query.Set("after", strconv.FormatUint(e.Seq, 10))
	}
	return nil
}

// connect reads one connection to its end.
func (f *following) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	header := http.Header{"Accept": {"text/event-stream"}}
	if f.last != "" {
		header.Set("Last-Event-ID", f.last)
	}
	resp, err := f.client.open(ctx, http.MethodGet, eventsPath, f.query, nil, header)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if media := resp.Header.Get("Content-Type"); media != "text/event-stream" {
		return &AnswerError{f.client.Server(), eventsPath, fmt.Sprintf("is %q, no stream of events", media)}
	}
	f.up = true
	if f.lost {
		f.lost = false
		f.tell(Interruption{After: f.last})
	}
	silence := time.AfterFunc(f.client.silence, func() { cancel(errSilent) })
	defer silence.Stop()
	messages := newMessageReader(readerFunc(func(b []byte) (int, error) {
		n, err := resp.Body.Read(b)
		silence.Reset(f.client.silence)
		return n, err
	}))
	for {
		m, err := messages.next()
		if err != nil {
			return f.broken(ctx, err)
		}
		f.pause = 0
		if err := f.pass(m); err != nil || f.stopped {
			return err
		}
	}
}

// broken says why a connection ended.
func (f *following) broken(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case cause != nil:
		err = cause
	case errors.Is(err, io.EOF):
		err = errors.New("the server has ended the stream")
	case errors.Is(err, errLineTooLong):
		return &AnswerError{f.client.Server(), eventsPath, "can't be read: " + err.Error()}
	}
	return &UnreachableError{f.client.Server(), err}
}

func (f *following) pass(m message) error {
	var e Event
	if err := json.Unmarshal([]byte(m.data), &e); err != nil {
		return &AnswerError{f.client.Server(), eventsPath, "has something that is no event: " + err.Error()}
	}
	if m.id != "" { // a live event is no place to resume from
		f.last = m.id
	}
	f.stopped = !f.yield(e, nil)
	return nil
}

// transient reports whether it's worth another try.
func transient(err error) bool {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem.Status >= http.StatusInternalServerError
	}
	var away *UnreachableError
	return errors.As(err, &away)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
