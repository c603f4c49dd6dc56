package plugins_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins"
)

type config struct {
	Window plugins.Duration          `json:"window"`
	Limits map[string]map[string]int `json:"limits"`
	Rules  []rule                    `json:"rules"`
	Inner  *rule                     `json:"inner"`
	Hidden string                    `json:"-"`
}

type rule struct {
	Name string `json:"name"`
	N    int
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name, json string
		want       config
		wrong      []string // what the error says
		allowed    []string
	}{
		{name: "none", want: config{Window: 7}},
		{name: "null", json: `null`, want: config{Window: 7}},
		{name: "empty", json: ` {} `, want: config{Window: 7}},
		{name: "all", json: `{"window":"1m30s","limits":{"vm":{"x":1}},"rules":[{"name":"r","N":2}],"inner":{"N":3}}`,
			want: config{Window: plugins.Duration(90 * time.Second), Limits: map[string]map[string]int{"vm": {"x": 1}}, Rules: []rule{{"r", 2}}, Inner: &rule{N: 3}}},
		{name: "unknown key", json: `{"windw":"1m"}`, wrong: []string{`key "windw"`, "unknown"}, allowed: []string{"inner", "limits", "rules", "window"}},
		{name: "unknown key inside", json: `{"rules":[{"name":"r"},{"nam":"s"}]}`, wrong: []string{`key "rules[1].nam"`}, allowed: []string{"N", "name"}},
		{name: "unknown key behind a pointer", json: `{"inner":{"m":3}}`, wrong: []string{`key "inner.m"`}, allowed: []string{"N", "name"}},
		{name: "other case", json: `{"Window":"1m"}`, wrong: []string{`key "Window"`}, allowed: []string{"inner", "limits", "rules", "window"}},
		{name: "hidden key", json: `{"Hidden":"x"}`, wrong: []string{`key "Hidden"`}, allowed: []string{"inner", "limits", "rules", "window"}},
		{name: "wrong type", json: `{"inner":{"N":"three"}}`, wrong: []string{`key "inner.N"`, "string", "int"}},
		{name: "wrong duration", json: `{"window":"soon"}`, wrong: []string{`"soon"`, `"5m"`}},
		{name: "no object", json: `[1]`, wrong: []string{"array"}},
		{name: "no JSON", json: `{"window":`, wrong: []string{"not JSON"}},
		{name: "two values", json: `{} {}`, wrong: []string{"not JSON"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := config{Window: 7}
			var err error
			m := manager(t, plugins.Options{Config: map[string]json.RawMessage{"a": json.RawMessage(c.json)}},
				&guest{name: "a", init: func(_ context.Context, rt *plugins.Runtime) error { err = rt.Config(&got); return err }})
			start(t, m)
			if c.wrong == nil {
				if err != nil || !reflect.DeepEqual(got, c.want) {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			e, ok := errors.AsType[*plugins.ConfigError](err)
			if !ok || e.Plugin != "a" {
				t.Fatalf("error %v", err)
			}
			for _, want := range c.wrong {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q doesn't say %s", err, want)
				}
			}
			if !slices.Equal(e.Allowed, c.allowed) {
				t.Errorf("allowed %v, want %v", e.Allowed, c.allowed)
			}
		})
	}
}

func TestConfigurationThatNobodyReads(t *testing.T) {
	m := manager(t, plugins.Options{Config: map[string]json.RawMessage{"a": json.RawMessage(`{"x":1}`), "b": json.RawMessage(`{}`)}}, &guest{name: "a"}, &guest{name: "b"})
	start(t, m)
	if _, ok := errors.AsType[*plugins.ConfigError](statusOf(t, m, "a").Err); !ok {
		t.Errorf("a: %v", statusOf(t, m, "a").Err)
	}
	if s := statusOf(t, m, "b"); !s.Running {
		t.Errorf("b, whose section says nothing: %v", s.Err)
	}
}

func TestConfigIntoNoPointer(t *testing.T) {
	rt, _ := started(t, plugins.Options{})
	if _, ok := errors.AsType[*plugins.ConfigError](rt.Config(config{})); !ok {
		t.Error("a struct was decoded into")
	}
}
