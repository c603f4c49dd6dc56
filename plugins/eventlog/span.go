package eventlog

import (
	"math"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// Times have no order in the journal: an import is recorded today and tells of last year. So the log knows the earliest and the latest time in each
// block of events, in each 32 blocks, in each 32 of those, and so on; what has nothing of a window is passed over as a whole.

// topLevel is the last one: a node of it spans 32^5 events.
const topLevel = 4

// span is a node.
type span struct {
	level       int
	node        int64
	first, last int64
}

// spansOf returns the nodes that events belong to, with the times of these events, from the lowest level.
func spansOf(events []*Event) ([]span, error) {
	var all []span
	for level := range topLevel + 1 {
		begin := len(all)
		for _, e := range events {
			at, err := journal.Nanoseconds(e.Time)
			if err != nil {
				return nil, err
			}
			node := int64(e.Seq >> (blockBits * (level + 1)))
			if n := len(all); n > begin && all[n-1].node == node {
				all[n-1].first, all[n-1].last = min(all[n-1].first, at), max(all[n-1].last, at)
				continue
			}
			all = append(all, span{level, node, at, at})
		}
	}
	return all, nil
}

// widen makes the nodes of events span their times.
func (s *statements) widen(tx *journal.Tx, events []*Event) error {
	all, err := spansOf(events)
	if err != nil {
		return err
	}
	for _, n := range all {
		if _, err := tx.Exec(s.span, int64(n.level), n.node, n.first, n.last); err != nil {
			return err
		}
	}
	return nil
}

// spans is a stream of the blocks that may have events in a window of time.
type spans struct {
	*reader
	from, until int64   // inclusive, exclusive
	ahead       []int64 // blocks
}

// seek climbs to the first node from a place on that has times of the window, and down to its first block that does. Where times of before and after the window alternate, nodes promise
// what their blocks don't keep; so when it has worked enough it returns the block that it came to, which may have nothing.
func (s *spans) seek(block int64) (int64, uint32, bool, error) {
	for len(s.ahead) > 0 && s.before(s.ahead[0], block) {
		s.ahead = s.ahead[1:]
	}
	for level, node := 0, block; len(s.ahead) == 0; {
		found, err := s.near(level, node)
		switch {
		case err != nil:
			return 0, 0, false, err
		case len(found) > 0 && level == 0:
			s.ahead = found
		case len(found) > 0:
			level, node = level-1, s.entry(found[0])
		case level == topLevel:
			return 0, 0, false, nil
		default:
			level, node = level+1, node>>blockBits+s.step()
		}
		if len(s.ahead) == 0 && s.work.done() {
			return s.firstBlock(level, node), ^uint32(0), true, nil
		}
	}
	return s.ahead[0], ^uint32(0), true, nil
}

// entry is the first child of a node.
func (s *spans) entry(node int64) int64 {
	if s.newest {
		return node<<blockBits | (1<<blockBits - 1)
	}
	return node << blockBits
}

// firstBlock is the first block of a node.
func (s *spans) firstBlock(level int, node int64) int64 {
	for range level {
		node = s.entry(node)
	}
	return node
}

// near returns the nodes of a level, from a place on and not beyond those with the same parent, that have times of the window; of higher levels the first.
func (s *spans) near(level int, node int64) ([]int64, error) {
	low, high, order := node, node|(1<<blockBits-1), "ASC"
	switch {
	case s.newest && level == topLevel:
		low, high, order = 0, node, "DESC"
	case s.newest:
		low, high, order = node&^(1<<blockBits-1), node, "DESC"
	case level == topLevel:
		high = math.MaxInt64
	}
	limit := 1
	if level == 0 {
		limit = 1 << blockBits
	}
	s.work.spend(1)
	return s.numbers("SELECT node FROM eventlog_spans WHERE level = ? AND node BETWEEN ? AND ? AND last_time >= ? AND first_time < ? ORDER BY node "+order+" LIMIT ?",
		level, low, high, s.from, s.until, limit)
}
