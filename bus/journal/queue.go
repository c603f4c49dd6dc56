package journal

// queue is a line of waiters.
type queue []*waiter

func (q *queue) push(w *waiter) { *q = append(*q, w) }

func (q *queue) empty() bool { return q.head() == nil }

// count returns how many haven't left.
func (q *queue) count() int {
	n := 0
	for _, w := range *q {
		if w.state != gone {
			n++
		}
	}
	return n
}

// head returns the first waiter that hasn't left, nil if there is none.
func (q *queue) head() *waiter {
	for len(*q) > 0 {
		if w := (*q)[0]; w.state != gone {
			return w
		}
		q.drop()
	}
	return nil
}

// pop takes the head out; there is one.
func (q *queue) pop() *waiter {
	w := q.head()
	q.drop()
	return w
}

func (q *queue) drop() {
	(*q)[0] = nil
	*q = (*q)[1:]
}
