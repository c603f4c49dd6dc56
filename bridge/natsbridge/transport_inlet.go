package natsbridge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go/jetstream"
)

// checkInlet says what NATS would never take.
func checkInlet(in bridge.Inlet) error {
	for _, name := range []struct{ option, value string }{{"Inlet.Stream", in.Stream}, {"Inlet.Durable", in.Durable}} {
		if strings.ContainsAny(name.value, ". *>/\\\t\r\n") {
			return &bridge.OptionError{Option: name.option, Value: name.value, Reason: `must not contain spaces, ".", "*", ">", "/" or "\"`}
		}
	}
	for i, subject := range in.Subjects {
		if !validPattern(subject) {
			return &bridge.OptionError{Option: "Inlet.Subjects", Value: subject, Reason: `must be tokens with dots between; "*" stands for one, ">" for the rest`}
		}
		for _, other := range in.Subjects[:i] {
			if collide(subject, other) {
				return &bridge.OptionError{Option: "Inlet.Subjects", Value: subject, Reason: "must not overlap with " + other}
			}
		}
	}
	return nil
}

func validPattern(subject string) bool {
	tokens := strings.Split(subject, ".")
	for i, token := range tokens {
		if token == "" || strings.ContainsAny(token, " \t\r\n") || token == ">" && i < len(tokens)-1 {
			return false
		}
	}
	return true
}

// collide reports whether a subject can match both patterns.
func collide(a, b string) bool {
	left, right := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(left), len(right)) {
		if left[i] == ">" || right[i] == ">" {
			return true
		}
		if left[i] != right[i] && left[i] != "*" && right[i] != "*" {
			return false
		}
	}
	return len(left) == len(right)
}

// joinStream returns the stream that the inlet's subjects are in: that of its name, another that has them, or a new one. What is there is left as it is.
func (r *reception) joinStream(ctx context.Context) (jetstream.Stream, error) {
	js := r.t.keeper.jetStream()
	stream, err := js.Stream(ctx, r.in.Stream)
	if err == nil {
		return stream, r.checkSubjects(stream.CachedInfo().Config)
	}
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, &StreamError{Stream: r.in.Stream, Err: err}
	}
	names, err := r.streamsWithSubjects(ctx, js)
	switch {
	case err != nil:
		return nil, &StreamError{Stream: r.in.Stream, Err: err}
	case len(names) > 1:
		return nil, &StreamError{Stream: r.in.Stream, Setting: "subjects", Have: "spread over the streams " + strings.Join(names, ", "), Want: "in one stream, or received by an inlet for each"}
	case len(names) == 1:
		stream, err = js.Stream(ctx, names[0])
	default:
		stream, err = js.CreateStream(ctx, r.streamConfig())
	}
	if err != nil {
		return nil, &StreamError{Stream: r.in.Stream, Err: err}
	}
	return stream, nil
}

// checkSubjects says whether a stream of the inlet's name has something to do with its subjects. A stream that gets its messages from others can't be judged.
func (r *reception) checkSubjects(c jetstream.StreamConfig) error {
	if c.Mirror != nil || len(c.Sources) > 0 {
		return nil
	}
	for _, subject := range r.in.Subjects {
		for _, has := range c.Subjects {
			if collide(subject, has) {
				return nil
			}
		}
	}
	return &StreamError{Stream: c.Name, Setting: "subjects", Have: strings.Join(c.Subjects, ","), Want: strings.Join(r.in.Subjects, ",")}
}

func (r *reception) streamsWithSubjects(ctx context.Context, js jetstream.JetStream) ([]string, error) {
	names := map[string]bool{}
	for _, subject := range r.in.Subjects {
		list := js.StreamNames(ctx, jetstream.WithStreamListSubject(subject))
		for name := range list.Name() {
			names[name] = true
		}
		if err := list.Err(); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func (r *reception) streamConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        r.in.Stream,
		Description: "made by Cloudbus for " + r.in.Durable,
		Subjects:    r.in.Subjects,
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		MaxAge:      r.in.MaxAge,
		MaxBytes:    r.in.MaxBytes,
		Duplicates:  min(defaultDuplicates, r.in.MaxAge),
		AllowDirect: true,
	}
}

// joinConsumer makes the durable consumer, or takes the one that is there, with our settings for what lies between us and the broker.
func (r *reception) joinConsumer(ctx context.Context, stream jetstream.Stream) (jetstream.Consumer, error) {
	info := stream.CachedInfo()
	consumer, err := stream.Consumer(ctx, r.in.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		config := r.settle(jetstream.ConsumerConfig{Durable: r.in.Durable, Description: "a receiver of Cloudbus", AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverAllPolicy})
		if r.place.seq > 0 && r.place.stream == info.Config.Name && r.place.created.Equal(info.Created) && r.place.seq <= info.State.LastSeq {
			// It was deleted under us: go on where it was.
			config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.place.seq+1
		}
		consumer, err = stream.CreateConsumer(ctx, config)
	} else if err == nil {
		have := consumer.CachedInfo().Config
		if have.AckPolicy != jetstream.AckExplicitPolicy {
			return nil, r.consumerError(info.Config.Name, "ack_policy", have.AckPolicy.String(), jetstream.AckExplicitPolicy.String())
		}
		if want := r.settle(have); !sameConsumer(have, want) {
			consumer, err = stream.UpdateConsumer(ctx, want)
		}
	}
	if err != nil {
		return nil, &StreamError{Stream: info.Config.Name, Err: fmt.Errorf("consumer %s: %w", r.in.Durable, err)}
	}
	r.place.stream, r.place.created = info.Config.Name, info.Created
	return consumer, nil
}

func (r *reception) consumerError(stream, setting, have, want string) error {
	return &StreamError{Stream: stream, Setting: "consumer " + r.in.Durable + " " + setting, Have: have, Want: want}
}

// settle sets what of a consumer's configuration is ours.
func (r *reception) settle(c jetstream.ConsumerConfig) jetstream.ConsumerConfig {
	c.AckWait = r.t.options.AckWait
	c.MaxAckPending = 2 * r.in.Batch // the batch in hand, and the next one though the acknowledgements are still on their way
	c.MaxDeliver = -1
	c.BackOff = nil
	c.FilterSubject, c.FilterSubjects = "", nil
	if len(r.in.Subjects) == 1 {
		c.FilterSubject = r.in.Subjects[0]
	} else {
		c.FilterSubjects = r.in.Subjects
	}
	return c
}

func sameConsumer(a, b jetstream.ConsumerConfig) bool {
	return a.AckWait == b.AckWait && a.MaxAckPending == b.MaxAckPending && a.MaxDeliver == b.MaxDeliver && len(a.BackOff) == 0 &&
		a.FilterSubject == b.FilterSubject && slices.Equal(a.FilterSubjects, b.FilterSubjects)
}
