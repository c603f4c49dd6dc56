package eventlog

import (
	"math"
	"strconv"
)

// A cursor is a place in a listing: the order, and the number of an event. So one of another order is refused instead of leading astray.
const (
	newestCursor = "n"
	oldestCursor = "o"
)

func cursorOf(order string, seq uint64) string {
	if order == Newest {
		return newestCursor + strconv.FormatUint(seq, 10)
	}
	return oldestCursor + strconv.FormatUint(seq, 10)
}

// parseCursor reads what cursorOf wrote, for the same order.
func parseCursor(field, order, cursor string) (uint64, error) {
	refuse := func(reason string) (uint64, error) {
		return 0, &QueryError{Field: field, Value: cursor, Reason: reason}
	}
	if cursor == "" || cursor[:1] != newestCursor && cursor[:1] != oldestCursor {
		return refuse("is no cursor: it must be the next or previous of a page")
	}
	if cursor[:1] != order[:1] {
		return refuse("is a cursor of a listing in the other order, this one has the " + order + " first")
	}
	digits := cursor[1:]
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || seq > math.MaxInt64 || strconv.FormatUint(seq, 10) != digits {
		return refuse("is no cursor: it must be the next or previous of a page")
	}
	return seq, nil
}
