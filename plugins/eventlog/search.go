package eventlog

import (
	"slices"
	"strings"

	"gorm.io/gorm"
)

// hunt is a search under way, in one direction.
type hunt struct {
	*reader
	filter    *filter
	low, high uint64 // the numbers that it's about
	streams   *allOf
	block     int64 // to be looked at next

	candidates []uint64
}

// catch is what a hunt brings.
type catch struct {
	events []*Event
	// scanned is the number up to which, in its direction, all was looked at; meaningless at the end.
	scanned uint64
	ended   bool // all was looked at
}

// begin prepares to look through the numbers low to high, the newest first or the oldest.
func (f *filter) begin(db *gorm.DB, newest bool, low, high uint64) (*hunt, error) {
	low = max(low, 1, f.FirstSeq)
	if f.LastSeq != 0 {
		high = min(high, f.LastSeq)
	}
	h := &hunt{reader: newReader(db, newest), filter: f, low: low, high: high}
	h.block, h.edge = int64(low>>blockBits), int64(high>>blockBits)
	if newest {
		h.block, h.edge = h.edge, h.block
	}
	var err error
	h.streams, err = f.plan(h.reader, db)
	return h, err
}

// find returns up to so many events, fewer at the end or when it has worked enough.
func (h *hunt) find(limit int) (catch, error) {
	var c catch
	if h.low > h.high {
		c.ended = true
		return c, nil
	}
	for {
		for len(h.candidates) < limit-len(c.events) && !c.ended && !h.work.done() {
			if err := h.advance(&c); err != nil {
				return c, err
			}
		}
		if len(h.candidates) == 0 {
			c.scanned = h.scanned()
			return c, nil
		}
		n := min(len(h.candidates), limit-len(c.events))
		if err := h.read(&c, h.candidates[:n]); err != nil {
			return c, err
		}
		last := h.candidates[n-1]
		h.candidates = h.candidates[n:]
		if len(c.events) == limit {
			c.scanned, c.ended = last, false
			return c, nil
		}
	}
}

// advance goes to the next block that may have something.
func (h *hunt) advance(c *catch) error {
	at, bits, agreed, ok, err := h.streams.next(h.block)
	if err != nil {
		return err
	}
	if c.ended = !ok; !ok {
		return nil
	}
	h.collect(at, bits)
	if h.block = at; agreed {
		h.block += h.step()
	}
	return nil
}

// collect notes the numbers that a row of the index stands for.
func (h *hunt) collect(block int64, bits uint32) {
	begin := len(h.candidates)
	for i := range uint64(1 << blockBits) {
		if seq := uint64(block)<<blockBits + i; bits>>i&1 == 1 && seq >= h.low && seq <= h.high {
			h.candidates = append(h.candidates, seq)
		}
	}
	if h.newest {
		slices.Reverse(h.candidates[begin:])
	}
}

// scanned is the last number before the block that comes next.
func (h *hunt) scanned() uint64 {
	if h.newest {
		return max(uint64(h.block+1)<<blockBits, h.low)
	}
	return min(uint64(h.block)<<blockBits-1, h.high)
}

// read reads events, and keeps those that are selected.
func (h *hunt) read(c *catch, seqs []uint64) error {
	text := "SELECT " + columns + " FROM eventlog WHERE seq IN (?" + strings.Repeat(", ?", padded(len(seqs))-1) + ") ORDER BY seq"
	if h.newest {
		text += " DESC"
	}
	args := make([]any, padded(len(seqs)))
	for i := range args {
		args[i] = int64(seqs[min(i, len(seqs)-1)])
	}
	rows, err := h.query(text, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	found := 0
	for rows.Next() {
		e := new(Event)
		if err := e.scan(rows); err != nil {
			return err
		}
		if h.filter.match(e) {
			c.events = append(c.events, e)
			h.work.found()
			found++
		}
	}
	h.work.spend(readingCost * (len(seqs) - found))
	return rows.Err()
}

// padded rounds up to a power of two, so that there are few texts to prepare.
func padded(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}
