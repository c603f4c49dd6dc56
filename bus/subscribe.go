package bus

import (
	"context"
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

// Subscribe starts a subscription: fn is called, on a goroutine of the subscription, with each event that matches T and the filters.
// T is a concrete payload type, an interface (all payloads that implement it), any, or Raw. With any, recorded events of no registered type come as Raw.
// Register the types before a subscription that reads the journal: it passes over events of types that aren't, and logs that.
// fn may return an error, or panic: then the event is retried or given up, as the options say. It may be called from handlers.
// Errors: ErrClosed, ErrNoJournal, *OptionError, *PatternError, *PayloadError, *DuplicateError, and those of the journal.
func Subscribe[T any](c *Client, fn func(context.Context, Event[T]) error, opts ...Option) (*Subscription, error) {
	set, err := newSettings(opts, "")
	if err != nil {
		return nil, err
	}
	if fn == nil {
		return nil, errNilHandler
	}
	in, err := newInbox[T](c, set)
	if err != nil {
		return nil, err
	}
	in.fn = fn
	return in.open()
}

// SubscribeBatch is for journals that can store a cursor together with a handler's effects (journal.Subscribe is the face for users).
// It reads the journal from the cursor called name and calls commit with each page; commit stores b.To as the cursor, or returns an error and has stored nothing.
// A batch that fails is halved until the culprit is alone; that one is retried by the policy. Options as for Durable, except Lanes and OnGap.
// The context's Cause is the event of a batch of one; with several, the handler says which one it acts on (ContextWithCause).
func SubscribeBatch[T any](c *Client, name string, commit func(context.Context, Batch[T]) error, opts ...Option) (*Subscription, error) {
	if name == "" || !clean(name) {
		return nil, &OptionError{Option: "SubscribeBatch", Reason: "name empty, too long or with control characters"}
	}
	set, err := newSettings(opts, name)
	if err != nil {
		return nil, err
	}
	if commit == nil {
		return nil, &OptionError{Option: "commit", Reason: "nil function"}
	}
	in, err := newInbox[T](c, set)
	if err != nil {
		return nil, err
	}
	in.commit = commit
	return in.open()
}

func newInbox[T any](c *Client, set *settings) (*inbox[T], error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	typ := reflect.TypeFor[T]()
	boxed := typ == rawType || typ.Kind() == reflect.Interface
	if !boxed && !typ.Implements(payloadType) {
		return nil, &PayloadError{Type: typ, Reason: "has no EventType method (allowed: a payload type, an interface, any, bus.Raw)"}
	}
	if pointsToPayload(typ) {
		return nil, &PayloadError{Type: typ, Reason: "subscribe to " + typ.Elem().String() + ", events carry values"}
	}
	mode := set.mode()
	if c.bus.journal == nil {
		if mode != modeLive && mode != modeBlock {
			return nil, ErrNoJournal
		}
		if mode == modeBlock {
			mode = modeLive
		}
	}
	s := &Subscription{
		settings: *set, bus: c.bus, client: c, mode: mode, goType: typ, site: callSite(),
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	if s.slowAfter == 0 {
		s.slowAfter = slowBound(c.bus.opts)
	}
	s.settings.name = set.displayName(c.name, int(c.made.Add(1)))
	in := &inbox[T]{sub: s, typ: typ, boxed: boxed}
	s.inner = in
	return in, nil
}

// open finds where to start reading, and starts.
func (in *inbox[T]) open() (*Subscription, error) {
	s := in.sub
	if err := s.bus.claim(s); err != nil {
		return nil, err
	}
	if err := in.begin(); err != nil {
		s.endTenure()
		s.bus.forget(s)
		return nil, err
	}
	return s, nil
}

func (in *inbox[T]) begin() error {
	s := in.sub
	start, err := s.startPosition()
	if err != nil {
		return err
	}
	if s.mode != modeBatch {
		for range s.lanes {
			in.lanes = append(in.lanes, &lane[T]{in: in, fn: in.wrapped(), queue: newQueue[T](s.capacity, s.policy.kind)})
		}
	}
	if s.mode.reads() {
		in.reader = newJournalReader(s, start)
	}
	if !in.boxed && in.typ.Implements(payloadType) {
		topicOf[T](s.bus, in.typ)
	}
	return s.bus.admit(s)
}

// callSite is where Subscribe was called: file:line outside this package and those that wrap it.
func callSite() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if !ownFrame(f.Function) || !more {
			return shortFile(f.File) + ":" + strconv.Itoa(f.Line)
		}
	}
}

var busPath = reflect.TypeFor[Bus]().PkgPath()

func ownFrame(function string) bool {
	rest, ok := strings.CutPrefix(function, busPath)
	if !ok {
		return false
	}
	for _, pkg := range []string{".", "/journal.", "/bustest.", "/evbus."} {
		if strings.HasPrefix(rest, pkg) {
			return true
		}
	}
	return false
}

// shortFile keeps a file's name and its folder.
func shortFile(file string) string {
	i := strings.LastIndexByte(file, '/')
	if i < 0 {
		return file
	}
	return file[strings.LastIndexByte(file[:i], '/')+1:]
}
