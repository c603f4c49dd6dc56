package natsbridge

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go/jetstream"
)

// Published counts the messages that are in the stream now and whose subject matches the NATS pattern filter: cloudbus.*.vm.> (see bridge.SubjectPattern).
// It counts nothing while messages can't be sent. Errors: ErrAway, ErrClosed, *StreamError.
func (s *Sink) Published(ctx context.Context, filter string) (uint64, error) {
	if err := s.Health(ctx); err != nil {
		return 0, err
	}
	stream, err := s.keeper.jetStream().Stream(ctx, s.options.Stream)
	if err != nil {
		return 0, &StreamError{Stream: s.options.Stream, Err: err}
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return 0, &StreamError{Stream: s.options.Stream, Err: err}
	}
	var n uint64
	for _, messages := range info.State.Subjects {
		n += messages
	}
	return n, nil
}

// ensureStream creates the stream, or checks the one there is. Errors: *StreamError.
func (s *Sink) ensureStream(ctx context.Context, js jetstream.JetStream) error {
	stream, err := js.Stream(ctx, s.options.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, s.streamConfig())
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			// Somebody was quicker.
			stream, err = js.Stream(ctx, s.options.Stream)
		}
	}
	if err != nil {
		return &StreamError{Stream: s.options.Stream, Err: err}
	}
	if anew := s.memory.find(stream); anew && s.options.State {
		s.states.tell()
	}
	return s.checkStream(stream.CachedInfo().Config)
}

// subjects are those of the stream.
func (s *Sink) subjects() string {
	if s.options.State {
		return bridge.StateRoot + ".>"
	}
	return bridge.Root + ".>"
}

func (s *Sink) streamConfig() jetstream.StreamConfig {
	config := jetstream.StreamConfig{
		Name:        s.options.Stream,
		Description: "events of Cloudbus, as CloudEvents",
		Subjects:    []string{s.subjects()},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		Replicas:    s.options.Replicas,
		MaxAge:      s.options.MaxAge,
		MaxBytes:    limit(s.options.MaxBytes),
		MaxMsgs:     limit(s.options.MaxMsgs),
		Duplicates:  s.options.Duplicates,
		AllowDirect: true,
	}
	if s.options.State {
		config.Description = "states of Cloudbus's resources, as CloudEvents"
		config.MaxMsgsPerSubject, config.AllowMsgTTL = 1, true
	}
	return config
}

// limit is how JetStream writes one of ours, 0 for none.
func limit(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}

// checkStream looks at what the promises stand on; limits are the operator's business.
func (s *Sink) checkStream(c jetstream.StreamConfig) error {
	perSubject := c.MaxMsgsPerSubject // the operator's business, too
	if s.options.State {
		perSubject = 1
	}
	for _, setting := range []struct{ name, have, want string }{
		{"max_msgs_per_subject", strconv.FormatInt(c.MaxMsgsPerSubject, 10), strconv.FormatInt(perSubject, 10)},
		{"storage", c.Storage.String(), jetstream.FileStorage.String()},
		{"subjects", strings.Join(c.Subjects, ","), s.subjects()},
		{"retention", c.Retention.String(), jetstream.LimitsPolicy.String()},
		{"no_ack", strconv.FormatBool(c.NoAck), "false"},
		{"sealed", strconv.FormatBool(c.Sealed), "false"},
		{"persist_mode", c.PersistMode.String(), jetstream.DefaultPersistMode.String()}, // async acknowledges what it may lose
		{"mirror", fmt.Sprint(c.Mirror != nil), "false"},
		{"subject_transform", fmt.Sprint(c.SubjectTransform != nil), "false"},
	} {
		if setting.have != setting.want {
			return &StreamError{Stream: c.Name, Setting: setting.name, Have: setting.have, Want: setting.want}
		}
	}
	return nil
}
