package status

import (
	"container/heap"
	"time"
)

// queue has the entries whose turn is planned, the earliest first.
type queue []*entry

// plan sets the turn of e, or takes it out of the queue.
func (q *queue) plan(e *entry, due time.Time, planned bool) {
	switch {
	case planned && e.index >= 0:
		e.due = due
		heap.Fix(q, e.index)
	case planned:
		e.due = due
		heap.Push(q, e)
	case e.index >= 0:
		heap.Remove(q, e.index)
	}
}

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push is for package heap.
func (q *queue) Push(x any) {
	e := x.(*entry)
	e.index = len(*q)
	*q = append(*q, e)
}

// Pop is for package heap.
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	e.index = -1
	return e
}
