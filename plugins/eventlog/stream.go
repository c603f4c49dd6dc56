package eventlog

import (
	"context"
	"database/sql"
	"math"

	"gorm.io/gorm"
)

// stream yields rows of the index, in order of block, in one direction.
type stream interface {
	// seek returns the first row at a block or behind it, in the direction of the stream, in which it never goes back; not ok: there is none.
	seek(block int64) (at int64, bits uint32, ok bool, err error)
}

// reader is what all streams of a search share.
type reader struct {
	pool   gorm.ConnPool
	ctx    context.Context // of the search, which all of its reads belong to
	bind   string          // the dialect whose placeholders are written
	newest bool            // the newest first: blocks fall
	edge   int64           // the last block that matters
	work   *work
}

func newReader(db *gorm.DB, newest bool) *reader {
	return &reader{pool: db.Statement.ConnPool, ctx: db.Statement.Context, bind: db.Name(), newest: newest}
}

// query reads past gorm: a page may take a hundred small reads.
func (r *reader) query(text string, args ...any) (*sql.Rows, error) {
	return r.pool.QueryContext(r.ctx, bind(r.bind, text), args...)
}

// numbers reads rows of one number.
func (r *reader) numbers(text string, args ...any) (all []int64, err error) {
	rows, err := r.query(text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}

// step is from one block to the next.
func (r *reader) step() int64 {
	if r.newest {
		return -1
	}
	return 1
}

// before reports whether block a comes before b.
func (r *reader) before(a, b int64) bool {
	if r.newest {
		return a > b
	}
	return a < b
}

const (
	firstChunk = 8   // rows that a stream reads at first
	maxChunk   = 128 // and at most
)

// postingsOf is the stream of a term. It reads ahead, the further the more of it is used.
type postingsOf struct {
	*reader
	term  string
	ahead []posting
	chunk int
	ended bool // there is nothing behind what was read
}

func (s *postingsOf) seek(block int64) (int64, uint32, bool, error) {
	skipped := 0
	for skipped < len(s.ahead) && s.before(s.ahead[skipped].block, block) {
		skipped++
	}
	s.work.spend(min(skipped, 1))
	if s.ahead = s.ahead[skipped:]; len(s.ahead) == 0 && !s.ended {
		s.grow(skipped)
		if err := s.read(block); err != nil {
			return 0, 0, false, err
		}
	}
	if len(s.ahead) == 0 {
		return 0, 0, false, nil
	}
	return s.ahead[0].block, s.ahead[0].bits, true, nil
}

// grow chooses how much to read next. Who was led past what he had read reads less.
func (s *postingsOf) grow(skipped int) {
	if s.chunk == 0 || skipped > 1 {
		s.chunk = firstChunk
	} else {
		s.chunk = min(2*s.chunk, maxChunk)
	}
}

func (s *postingsOf) read(block int64) error {
	text := "SELECT block, bits FROM eventlog_terms WHERE term = ? AND block BETWEEN ? AND ? ORDER BY block LIMIT ?"
	low, high := block, s.edge
	if s.newest {
		text = "SELECT block, bits FROM eventlog_terms WHERE term = ? AND block BETWEEN ? AND ? ORDER BY block DESC LIMIT ?"
		low, high = s.edge, block
	}
	s.ahead = s.ahead[:0]
	rows, err := s.query(text, s.term, low, high, s.chunk)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var p posting
		if err := rows.Scan(&p.block, &p.bits); err != nil {
			return err
		}
		s.ahead = append(s.ahead, p)
	}
	s.ended = len(s.ahead) < s.chunk
	s.work.spend(1)
	return rows.Err()
}

// anyOf is the stream of what is in one of several.
type anyOf struct {
	*reader
	streams []stream
}

func (s *anyOf) seek(block int64) (int64, uint32, bool, error) {
	at, bits, found := int64(math.MaxInt64), uint32(0), false
	for _, one := range s.streams {
		b, more, ok, err := one.seek(block)
		switch {
		case err != nil:
			return 0, 0, false, err
		case !ok:
		case !found || s.before(b, at):
			at, bits, found = b, more, true
		case b == at:
			bits |= more
		}
	}
	return at, bits, found, nil
}

// notArchived is the stream of what isn't archived, for beside others: where nothing is archived it reads nothing, however much there is.
type notArchived struct {
	*reader
	archived, inLog *postingsOf
}

func (s *notArchived) seek(block int64) (int64, uint32, bool, error) {
	at, bits, ok, err := s.archived.seek(block)
	switch {
	case err != nil:
		return 0, 0, false, err
	case !ok || at != block:
		return block, ^uint32(0), true, nil
	case ^bits != 0:
		return block, ^bits, true, nil
	}
	return s.inLog.seek(block) // past all that is archived
}

// allOf leads several streams to the next block in which they agree.
type allOf struct {
	*reader
	streams []stream
}

// next returns the first block from one on, up to the edge, that all streams have, and the bits that they have in common there, which may be none. When it has worked
// enough it returns how far it came, behind the block that it was given, with agreed false.
func (s *allOf) next(block int64) (at int64, bits uint32, agreed, ok bool, err error) {
	for {
		at, bits = block, ^uint32(0)
		for _, one := range s.streams {
			b, more, ok, err := one.seek(at)
			if err != nil || !ok || s.before(s.edge, b) {
				return 0, 0, false, false, err
			}
			bits &= more
			at = b
		}
		if at == block {
			return at, bits, true, true, nil
		}
		if block = at; s.work.done() {
			return at, 0, false, true, nil
		}
	}
}
