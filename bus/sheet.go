package bus

import (
	"sync"
	"sync/atomic"
)

// sheetSize is how many events share a count of holds: a subscription that works through a backlog touches one for so many events.
const sheetSize = 16

// publishing keeps a sheet in use until an event of it was published; the queues' holds are settled at the end.
const publishing = 1 << 32

// sheet is room for some events. It is used again when all of them were published and nobody has one any more.
type sheet[T any] struct {
	press   *press[T]
	next    atomic.Int32 // first blank
	_       cacheLine
	holds   atomic.Int64 // of blanks and publishers, of queues, and of those who look at a header; 0: out of use
	_       cacheLine
	edition atomic.Pointer[edition]
	news    [sheetSize]news[T]
}

func newSheet[T any](p *press[T]) *sheet[T] {
	s := &sheet[T]{press: p}
	for i := range s.news {
		s.news[i].sheet, s.news[i].place = s, uint8(i)
	}
	return s
}

// press makes sheets for the publishers of a topic, or for one subscription.
type press[T any] struct {
	sheet atomic.Pointer[sheet[T]]
	used  sync.Pool  // *sheet[T]
	mu    sync.Mutex // while the sheet is changed
	turns uint64     // how many sheets there were
}

// blank returns an event that is to be filled in, and published.
func (p *press[T]) blank() *news[T] {
	for {
		s := p.sheet.Load()
		if s != nil {
			if i := s.next.Add(1) - 1; i < sheetSize {
				return &s.news[i]
			}
		}
		p.turn(s)
	}
}

// turn puts a new sheet in the place of a full one.
func (p *press[T]) turn(full *sheet[T]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sheet.Load() != full {
		return
	}
	s, ok := p.used.Get().(*sheet[T])
	if !ok {
		s = newSheet(p)
	}
	s.edition.Store(&edition{sheet: s})
	s.holds.Store(sheetSize * publishing)
	s.next.Store(0) // at last: somebody may still have the sheet from the last time
	p.sheet.Store(s)
	p.turns++
}

// taken counts the blanks that were.
func (p *press[T]) taken() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sheet.Load()
	if s == nil {
		return 0
	}
	return (p.turns-1)*sheetSize + uint64(min(s.next.Load(), sheetSize))
}

// settle changes the count of holds.
func (s *sheet[T]) settle(by int64) {
	if s.holds.Add(by) == 0 {
		for i := range s.news {
			n := &s.news[i]
			n.event, n.err, n.ticket = Event[T]{}, nil, 0
		}
		s.press.used.Put(s)
	}
}

// hold keeps the sheet from being used again; false if it is out of use.
func (s *sheet[T]) hold() bool {
	for {
		n := s.holds.Load()
		if n <= 0 {
			return false
		}
		if s.holds.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// header returns that of an event of an edition, while the sheet still has it.
func (s *sheet[T]) header(e *edition, i int) (h Header, ok bool) {
	if !s.hold() {
		return h, false
	}
	if ok = s.edition.Load() == e; ok {
		h = s.news[i].event.Header
	}
	s.settle(-1)
	return h, ok
}
