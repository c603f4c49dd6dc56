package main

import "sync/atomic"

// fault is something that a child does wrong once, on purpose. The nil fault never strikes. Safe for concurrent use.
type fault struct {
	after    int64 // the how manieth chance is taken
	announce func()
	chances  atomic.Int64
}

// strike reports whether now is the time.
func (f *fault) strike() bool {
	if f == nil || f.chances.Add(1) != f.after {
		return false
	}
	f.announce()
	return true
}
