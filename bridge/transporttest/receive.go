package transporttest

import (
	"context"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// Receive hands over what the inlet's subjects match, from the place of its durable name; one Receive at a time runs under a name, others wait.
func (m *Memory) Receive(ctx context.Context, in bridge.Inlet, handle func(context.Context, []bridge.Delivery) error) error {
	in, err := in.WithDefaults()
	if err != nil {
		return err
	}
	m.mu.Lock()
	d := m.durable(in.Durable)
	m.mu.Unlock()
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		places, batch, err := m.take(ctx, d, in)
		if err != nil {
			return err
		}
		if err := m.deliver(ctx, d, places, batch, handle); err != nil {
			return err
		}
	}
}

// durable expects m.mu to be held.
func (m *Memory) durable(name string) *durable {
	d := m.durables[name]
	if d == nil {
		d = &durable{again: map[int]bool{}, tries: map[int]int{}, turn: make(chan struct{}, 1)}
		m.durables[name] = d
	}
	return d
}

// take waits for the next batch. places are those of its letters in the stream.
func (m *Memory) take(ctx context.Context, d *durable, in bridge.Inlet) (places []int, batch []bridge.Delivery, err error) {
	err = m.until(ctx, func() bool {
		if m.away {
			return false
		}
		for i := range m.stream {
			if len(batch) < in.Batch && (i >= d.place || d.again[i]) && receives(in, m.stream[i].Subject) {
				places = append(places, i)
				batch = append(batch, m.stream[i])
			}
		}
		return len(batch) > 0
	})
	return places, batch, err
}

func receives(in bridge.Inlet, subject string) bool {
	for _, pattern := range in.Subjects {
		if matches(pattern, subject) {
			return true
		}
	}
	return false
}

// deliver hands a batch over until it is handled.
func (m *Memory) deliver(ctx context.Context, d *durable, places []int, batch []bridge.Delivery, handle func(context.Context, []bridge.Delivery) error) error {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := handle(ctx, m.count(d, places, batch))
		switch {
		case err == nil:
			return m.acknowledge(d, places)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// count returns the batch with its tries, letters that the receiver may keep.
func (m *Memory) count(d *durable, places []int, batch []bridge.Delivery) []bridge.Delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	counted := make([]bridge.Delivery, len(batch))
	for i, delivery := range batch {
		d.tries[places[i]]++
		delivery.Letter = clone(delivery.Letter)
		delivery.Tries = d.tries[places[i]]
		counted[i] = delivery
	}
	return counted
}

func (m *Memory) acknowledge(d *durable, places []int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.crashes > 0 {
		m.crashes--
		return ErrCrashed
	}
	for _, place := range places {
		delete(d.again, place)
		d.place = max(d.place, place+1)
	}
	return nil
}
