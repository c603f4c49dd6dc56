package bus

import (
	"cmp"
	"time"
)

// mode says where a subscription's events come from.
type mode uint8

const (
	modeLive    mode = iota // publishers and the pump
	modeBlock               // publishers; recorded events by its own reader
	modeFrom                // the same, from a position
	modeDurable             // its own reader and a stored cursor
	modeBatch               // the same, in batches
)

func (m mode) String() string {
	return [...]string{"live", "live", "from", "durable", "batch"}[m]
}

// reads reports whether recorded events come by the subscription's own reader.
func (m mode) reads() bool { return m != modeLive }

// stored reports whether the position is kept as a cursor.
func (m mode) stored() bool { return m == modeDurable || m == modeBatch }

func newSettings(opts []Option, batch string) (*settings, error) {
	s := &settings{batch: batch != "", durable: batch}
	for _, o := range opts {
		if o == nil {
			return nil, &OptionError{Option: "nil", Reason: "not an option"}
		}
		o(s)
	}
	if s.err != nil {
		return nil, s.err
	}
	if err := s.conflict(batch); err != nil {
		return nil, err
	}
	s.complete()
	return s, nil
}

// conflict is the table of options that exclude each other.
func (s *settings) conflict(batch string) error {
	reader := ""
	switch {
	case s.batch:
		reader = "SubscribeBatch"
	case s.durable != "":
		reader = "Durable"
	case s.from != nil:
		reader = "From"
	}
	if s.failure == Park && (reader == "" || reader == "From") {
		return &OptionError{Option: "Park", With: cmp.Or(reader, "live"), Reason: "only a durable subscription has a name to park events under"}
	}
	if s.linger > 0 && !s.batch {
		return &OptionError{Option: "Linger", With: cmp.Or(reader, "live"), Reason: "only batches wait to be filled"}
	}
	if reader == "" {
		return nil
	}
	if s.queued && s.policy.kind != policyDefault {
		return &OptionError{Option: s.policy.String(), With: reader, Reason: "what comes from the journal is never dropped, merged or waited for"}
	}
	if s.onGap != nil && reader == "SubscribeBatch" {
		return &OptionError{Option: "OnGap", With: reader, Reason: "nothing is dropped"}
	}
	if s.failure == Skip && reader != "From" {
		return &OptionError{Option: "Skip", With: reader, Reason: "it never loses an event"}
	}
	if !s.batch {
		return nil
	}
	if s.lanes > 0 {
		return &OptionError{Option: "Lanes", With: reader, Reason: "a batch and its cursor are committed together"}
	}
	if s.durable != batch {
		return &OptionError{Option: "Durable", With: reader, Reason: "its name is an argument"}
	}
	return nil
}

func (s *settings) mode() mode {
	switch {
	case s.batch:
		return modeBatch
	case s.durable != "":
		return modeDurable
	case s.from != nil:
		return modeFrom
	case s.policy.kind == policyBlock:
		return modeBlock
	default:
		return modeLive
	}
}

func (s *settings) complete() {
	stored := s.mode().stored()
	s.lanes = max(s.lanes, 1)
	if s.capacity == 0 {
		s.capacity = defaultQueue
		if stored {
			s.capacity = defaultPage
		}
	}
	if s.policy.kind == policyDefault {
		s.policy = DropOldest
		if s.mode() == modeFrom {
			s.policy = DropNewest // of live events; recorded ones wait for room
		}
	}
	if !s.retried {
		s.tries, s.pause = 1, minLivePause
		if stored {
			s.tries, s.pause = durableTries, durablePause
		}
	}
	s.chosen = s.failure != 0
	if !s.chosen {
		s.failure = Skip
		if stored {
			s.failure = Halt
		}
	}
}

// pauseAfter is the pause after a failed try, the first being 1.
func (s *settings) pauseAfter(try int) time.Duration {
	longest := max(longestPause, s.pause)
	d := s.pause << min(try-1, 20)
	if d <= 0 && s.pause > 0 {
		return longest
	}
	return min(d, longest)
}

func (s *settings) displayName(client string, n int) string {
	return cmp.Or(s.name, s.durable, client+"/"+itoa(n))
}
