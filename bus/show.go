package bus

import "slices"

// show offers a recorded event to live subscriptions, and to those that read the journal and have caught up.
func (b *Bus) show(r *Record, now int64) {
	if r.Type != "" {
		b.showLive(r, now)
	}
	for _, s := range *b.readers.Load() {
		s.inner.follow(r, now)
	}
}

func (b *Bus) showLive(r *Record, now int64) {
	if taps := b.taps.Load(); taps != nil {
		b.tapped(*taps, &r.Header)
	}
	if reg := b.registry.find(r.Type, r.Schema); reg != nil {
		reg.codec.topic(b).recorded(r, now)
	} else {
		b.unknown.recorded(r, now)
	}
}

// unhandled tells the embedder that nobody takes an event.
func (b *Bus) unhandled(h *Header) {
	if b.opts.OnUnhandled == nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			b.log.Error("bus: OnUnhandled panicked", "error", newPanicError(r))
		}
	}()
	b.opts.OnUnhandled(*h)
}

// recorded offers an event of the journal to live subscriptions. Only the pump calls it.
func (t *topic[T]) recorded(r *Record, now int64) {
	g, err := t.routes.Load().group(r.Type)
	if err != nil {
		t.bus.log.Warn("bus: recorded event with a wrong type", "seq", r.Seq, "type", r.Type, "error", err)
		return
	}
	concrete, boxed, taken := t.recordedTakers(g, r)
	if !taken {
		t.bus.unhandled(&r.Header)
	}
	if len(concrete)+len(boxed) == 0 {
		return
	}
	n := t.press.blank()
	t.others.Add(1)
	held := int64(0)
	defer func() { n.published(held) }()
	n.event.Header = r.Header
	n.err = t.decode(r, &n.event.Payload)
	n.sign(now)
	for _, in := range concrete {
		held += in.offer(n, now).holds()
	}
	if len(boxed) == 0 {
		return
	}
	p := &parcel{header: &n.event.Header, data: r.Data, err: n.err}
	if t.codec.Load() != nil && n.err == nil {
		p.payload = n.event.Payload
	}
	for _, in := range boxed {
		in.offerRecordedParcel(p, now)
	}
}

// recordedTakers lists the live subscriptions that want r; taken says whether anybody does who names what he wants.
func (t *topic[T]) recordedTakers(g *group[T], r *Record) (concrete []*inbox[T], boxed []boxTaker, taken bool) {
	for _, list := range g.concrete.lists(&r.Header) {
		for _, in := range list {
			if in.sub.admits(&r.Header) {
				taken = true
				if in.sub.wantsPumped(r.Seq) {
					concrete = append(concrete, in)
				}
			}
		}
	}
	for _, list := range g.boxed.lists(&r.Header) {
		for _, in := range list {
			if in.base().admits(&r.Header) {
				taken = taken || !in.takesAll()
				if in.base().wantsPumped(r.Seq) {
					boxed = append(boxed, in)
				}
			}
		}
	}
	return slices.Clip(concrete), slices.Clip(boxed), taken
}

func (t *topic[T]) decode(r *Record, into *T) error {
	c := t.codec.Load()
	if c == nil {
		return nil
	}
	return c.decodeInto(r, into)
}
