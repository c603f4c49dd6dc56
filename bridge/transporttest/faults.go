package transporttest

import "slices"

// Away says whether the broker is out of reach: Publish and Send fail with ErrAway, Receive waits.
func (m *Memory) Away(away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = away
	m.change()
}

// MaxSize is the size of the largest Data that the broker takes from now on; what is larger is a *bridge.RejectedError. 0 is without limit.
func (m *Memory) MaxSize(bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.maxSize = bytes
}

// LoseAcks lets the next n publishes fail with ErrAckLost though their letters are kept.
func (m *Memory) LoseAcks(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lostAcks = n
}

// CrashBeforeAck lets the next Receive whose handle has returned nil end with ErrCrashed; the batch isn't acknowledged.
func (m *Memory) CrashBeforeAck() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.crashes++
}

// Redeliver hands what was acknowledged under a durable name and has one of these numbers over once more; without numbers, all.
func (m *Memory) Redeliver(name string, seqs ...uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.durable(name)
	for i := range d.place {
		if len(seqs) == 0 || slices.Contains(seqs, m.stream[i].Seq) {
			d.again[i] = true
		}
	}
	m.change()
}

// Purge forgets all letters; those that come get the numbers after theirs.
func (m *Memory) Purge() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.stream {
		m.stream[i].Subject = ""
	}
	m.ids = map[string]bool{}
}
