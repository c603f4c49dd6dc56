package bus

import "sync"

// reader brings recorded events to the lanes of a subscription, at their pace.
type reader[T any] struct {
	*journalReader
	in    *inbox[T]
	lanes sync.WaitGroup
}

func (r *reader[T]) run() {
	defer r.finish()
	defer r.lanes.Wait()
	for r.serve(); r.goesOn(); r.serve() {
	}
}

// serve hands records over until the subscription is closed, or has lost its lease.
func (r *reader[T]) serve() {
	if !r.caution.begin(r.scanned) {
		return
	}
	for !r.isStopped() && !r.sub.tenure.over() {
		records, ok := r.next(defaultPage)
		if !ok {
			return
		}
		now := r.sub.bus.clock().UnixNano()
		for _, rec := range records {
			if !r.step(rec, now) {
				return
			}
		}
		r.keepFresh()
	}
}

// step hands one record over; false when the subscription is closed.
func (r *reader[T]) step(rec *Record, now int64) bool {
	for {
		q, o := r.place(rec, now)
		switch o {
		case full:
			if !r.waitRoom(q) {
				return false
			}
		case refused:
			return false
		default:
			return true
		}
	}
}

// follow takes the record that comes next from the pump, if the subscription has caught up, and if that takes neither decoding nor waiting.
// Else the reader's goroutine goes on.
func (in *inbox[T]) follow(rec *Record, now int64) {
	in.reader.mu.Lock()
	defer in.reader.mu.Unlock()
	if !in.reader.attached || rec.Seq <= in.reader.scanned {
		return
	}
	if in.commit == nil && rec.Seq == in.reader.scanned+1 && (rec.value != nil || in.typ == rawType) {
		if _, o := in.lanes[0].reader.place(rec, now); o != full {
			return
		}
	}
	in.reader.detach()
}

// look makes the reader's goroutine look for itself.
func (in *inbox[T]) look() {
	in.reader.mu.Lock()
	defer in.reader.mu.Unlock()
	if in.reader.attached {
		in.reader.detach()
	}
}

// place decodes a record if it is wanted, and queues it if there is room in q.
func (r *reader[T]) place(rec *Record, now int64) (q *queue[T], o outcome) {
	n := r.in.press.blank()
	held := int64(0)
	defer func() { n.published(held) }()
	var wanted bool
	if wanted, n.err = r.in.read(rec, &n.event); !wanted {
		r.pass(rec.Seq)
		return nil, queued
	}
	q = r.in.laneOf(&rec.Header).queue
	n.ticket = r.progress.begin(rec.Seq)
	n.sign(now)
	if r.missing.Count > 0 {
		q.miss(r.missing)
		r.missing = Gap{}
	}
	switch o = q.push(n, now, false); o {
	case full:
		r.progress.cancel(n.ticket)
	case refused:
	default:
		held = 1
		r.scanned = rec.Seq
	}
	return q, o
}

// pass goes on behind an event that isn't wanted.
func (r *reader[T]) pass(seq uint64) {
	if r.missing.Count > 0 {
		r.progress.miss(seq)
	} else {
		r.progress.skip(seq)
	}
	r.scanned = seq
}

func (r *reader[T]) waitRoom(q *queue[T]) bool {
	room := q.roomChan()
	if room == nil {
		return true
	}
	defer q.leaveRoom()
	return r.wait(room)
}

// read decodes a record if the subscription wants it. bad says why it couldn't be decoded.
func (in *inbox[T]) read(rec *Record, e *Event[T]) (wanted bool, bad error) {
	if rec.Type == "" {
		return false, nil
	}
	reg := in.sub.bus.registry.find(rec.Type, rec.Schema)
	if reg == nil && in.unknownOf(rec) {
		e.Header = rec.Header
		return true, &UnknownTypeError{Seq: rec.Seq, Type: rec.Type, Schema: rec.Schema}
	}
	if !in.wantsType(reg) || !in.sub.admitsType(rec.Type) || !in.sub.admits(&rec.Header) {
		return false, nil
	}
	e.Header = rec.Header
	if !in.boxed {
		return true, reg.codec.(*codec[T]).decodeInto(rec, &e.Payload)
	}
	p := parcel{header: &rec.Header, data: rec.Data}
	if reg != nil && in.typ != rawType {
		p.payload, p.err = reg.codec.decode(rec)
	}
	return true, in.unpack(&p, e)
}

func (in *inbox[T]) wantsType(reg *registration) bool {
	switch {
	case in.boxed && reg == nil:
		return in.accepts(nil)
	case in.boxed:
		return in.accepts(reg.codec.goType())
	default:
		return reg != nil && reg.codec.goType() == in.typ
	}
}
