package plugintest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/cloudbus-go/cloudbus/plugins"
)

func (s *suite) name(t testing.TB) error {
	first, second := s.make(), s.make()
	if _, err := s.manager(s.bus(t), first, nil); err != nil {
		return err
	}
	if a, b := first.Name(), second.Name(); a != b {
		return fmt.Errorf("one instance is called %q, the next %q", a, b)
	}
	return nil
}

func (s *suite) startAndClose(t testing.TB) error {
	b, p := s.bus(t), s.make()
	if err := without(func() error { return s.running(b, p, nothing) }); err != nil {
		return err
	}
	return closeAgain(p)
}

// closeAgain reports a second Close that panics; what else it returns is the plugin's business.
func closeAgain(p plugins.Plugin) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("a second Close panics: %v", v)
		}
	}()
	ctx, cancel := patiently()
	defer cancel()
	_ = p.Close(ctx)
	return nil
}

func (s *suite) anotherFails(t testing.TB) error {
	b := s.bus(t)
	return without(func() error {
		m, err := s.manager(b, s.make(), s.config, saboteur{})
		if err != nil {
			return err
		}
		ctx, cancel := patiently()
		defer cancel()
		return except(m.Start(ctx), errSabotage, "the start that another plugin made fail")
	})
}

// except returns what is wrong with an error that should be no more than the expected one.
func except(err, expected error, what string) error {
	if !errors.Is(err, expected) {
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, failure := range failures(err) {
		if failure.Phase == plugins.PhaseClose {
			return fmt.Errorf("%s: %w", what, failure)
		}
	}
	return nil
}

// failures lists the failures of plugins in a tree of errors.
func failures(err error) []*plugins.PluginError {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*plugins.PluginError
		for _, e := range many.Unwrap() {
			all = append(all, failures(e)...)
		}
		return all
	}
	if failure, ok := errors.AsType[*plugins.PluginError](err); ok {
		return []*plugins.PluginError{failure}
	}
	return nil
}

func (s *suite) unknownConfiguration(t testing.TB) error {
	b := s.bus(t)
	config := make(map[string]json.RawMessage)
	if s.config != nil {
		if err := json.Unmarshal(s.config, &config); err != nil {
			return fmt.Errorf("the suite's Config is no JSON object: %w", err)
		}
	}
	config["plugintest_no_such_key"] = json.RawMessage("1")
	section, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return without(func() error {
		m, err := s.manager(b, s.make(), section)
		if err != nil {
			return err
		}
		ctx, cancel := patiently()
		defer cancel()
		err = m.Start(ctx)
		if err == nil {
			_ = m.Close(ctx)
			return errors.New("a key that can't be known is accepted; read the configuration with Runtime.Config, in Init, and return its error")
		}
		var refused *plugins.ConfigError
		if !errors.As(err, &refused) {
			return fmt.Errorf("a key that can't be known isn't refused with Runtime.Config's error, but: %w", err)
		}
		return except(err, refused, "the start with an unknown key")
	})
}

func (s *suite) noTimeToClose(t testing.TB) error {
	b := s.bus(t)
	return without(func() error {
		m, err := s.manager(b, s.make(), s.config)
		if err != nil {
			return err
		}
		ctx, cancel := patiently()
		defer cancel()
		if err := m.Start(ctx); err != nil {
			return fmt.Errorf("start: %w", err)
		}
		over, end := context.WithCancel(ctx)
		end()
		if err := m.Close(over); err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("close: %w", err)
		}
		return nil
	})
}

func (s *suite) twoAtOnce(t testing.TB) error {
	one, other := s.bus(t), s.bus(t)
	return s.running(one, s.make(), func() error { return s.running(other, s.make(), nothing) })
}

func (s *suite) restart(t testing.TB) error {
	b := s.bus(t)
	for _, which := range []string{"first", "second"} {
		if err := s.running(b, s.make(), nothing); err != nil {
			return fmt.Errorf("%s run: %w", which, err)
		}
	}
	return nil
}
