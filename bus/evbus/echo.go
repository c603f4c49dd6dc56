package evbus

import (
	"bytes"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// echoes knows which calls of the foreign bus are the link's own. A synchronous handler runs on the goroutine that publishes, and
// arguments must arrive there as they are: so only the goroutine tells a call of ours from one that somebody else makes at the same time.
type echoes struct {
	count    atomic.Int32 // of expected; mostly none, then nobody needs to know his goroutine
	expected sync.Map     // echo → struct{}
}

type echo struct {
	goroutine uint64
	topic     string
}

// expect is called before this goroutine publishes to the topic; what it returns, afterwards.
func (e *echoes) expect(topic string) (done func()) {
	key := echo{goroutine(), topic}
	e.count.Add(1)
	e.expected.Store(key, struct{}{})
	return func() {
		e.expected.Delete(key)
		e.count.Add(-1)
	}
}

// here reports whether this goroutine is publishing to the topic on behalf of the link.
func (e *echoes) here(topic string) bool {
	if e.count.Load() == 0 {
		return false
	}
	_, ok := e.expected.Load(echo{goroutine(), topic})
	return ok
}

// goroutine is the number of this goroutine, as traces print it: "goroutine 7 [running]:".
func goroutine() uint64 {
	var buf [32]byte
	line := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	number, _, _ := bytes.Cut(line, []byte(" "))
	n, _ := strconv.ParseUint(string(number), 10, 64)
	return n
}
