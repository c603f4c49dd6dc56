package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
)

// change is what a fire or an update has done.
type change struct {
	Action     string `json:"action"`
	Kind       string `json:"kind"`
	ResourceID string `json:"resource_id"`
	Trigger    string `json:"trigger"`
	From       string `json:"from"`
	To         string `json:"to"`
	Operation  string `json:"operation"`
	Version    uint64 `json:"version"`
}

// fireBody is the body of a fire.
type fireBody struct {
	Trigger   string                     `json:"trigger"`
	Reason    string                     `json:"reason,omitempty"`
	Operation string                     `json:"operation,omitempty"`
	At        string                     `json:"at,omitempty"`
	Set       map[string]json.RawMessage `json:"set,omitempty"`
}

const steady = "steady"

func (a *app) fireCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "fire <kind> <id> <trigger>", Short: "Fire a trigger at a resource", Args: cobra.MinimumNArgs(1),
		Long: "fire fires a trigger at a resource. With --wait it ends when the resource is in a state, or in any steady one;\n" +
			"it fails if the resource comes to rest elsewhere, or not in time.",
		Example: "  cbctl fire vm web1 start_requested --wait running --reason monday\n  cbctl fire vm/web1 operation_succeeded --set host_id=h1",
	}
	flags := cmd.Flags()
	set := flags.StringArray("set", nil, "`field=value` to change with it; may be repeated")
	var body fireBody
	flags.StringVar(&body.Reason, "reason", "", "why")
	flags.StringVar(&body.Operation, "operation", "", "`id` of the operation whose outcome it is")
	at := flags.String("at", "", "`time` at which it happened (default now)")
	wait := flags.String("wait", "", "`state` to wait for, or steady: any in which it rests")
	timeout := flags.Duration("timeout", 5*time.Minute, "how long to wait at most")
	action := actionFlag(cmd)
	output := formFlag(cmd, asText, asJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		kind, id, rest, err := target(args)
		switch {
		case err != nil:
			return err
		case len(rest) != 1:
			return badUsage("fire: a kind, an id and one trigger")
		case *timeout <= 0:
			return badUsage("--timeout %v: above 0", *timeout)
		}
		if body.Set, err = a.values("", *set); err != nil {
			return err
		}
		if *at != "" {
			t, err := a.ink.Clock.Parse(*at)
			if err != nil {
				return badUsage("--at: %v", err)
			}
			body.At = t.UTC().Format(time.RFC3339Nano)
		}
		body.Trigger = rest[0]
		w := &waiting{app: a, kind: kind, id: id, wanted: *wait, as: output.value}
		if err := w.learn(cmd.Context()); err != nil { // a state that isn't there is better known before
			return err
		}
		ctx, cancel := context.WithTimeoutCause(cmd.Context(), *timeout, w.overdue(*timeout))
		defer cancel()
		return w.fire(ctx, *action, body)
	}
	return cmd
}

// fire fires, and waits for what comes of it.
func (w *waiting) fire(ctx context.Context, action string, body fireBody) error {
	path := resourcePath(w.kind, w.id) + "/fire"
	answer, err := w.app.client.Act(ctx, action, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	c, err := w.app.changeOf(path, answer)
	if err != nil {
		return err
	}
	if w.as == asJSON {
		err = w.app.out.json(answer)
	} else {
		err = w.app.writeChange(c)
	}
	if err != nil || w.wanted == "" {
		return err
	}
	return w.wait(ctx, c)
}

// changeOf reads an answer that is a change.
func (a *app) changeOf(path string, body []byte) (c change, err error) {
	if err := a.decode(path, body, &c); err != nil {
		return c, err
	}
	if c.Action == "" {
		err = &client.AnswerError{Server: a.client.Server(), Path: path, Reason: "is no change of a resource"}
	}
	return c, err
}

// writeChange tells of a change.
func (a *app) writeChange(c change) error {
	name := show.Plain(c.Kind + "/" + c.ResourceID)
	switch c.Action {
	case "unchanged":
		return a.out.line("%s unchanged, %s", name, show.Plain(c.To))
	case "updated":
		return a.out.line("%s updated, version %d", name, c.Version)
	}
	return a.out.line("%s %s → %s", name, show.Plain(c.From), a.ink.In(show.Strong, c.To))
}

// waiting waits until a resource is where it is wanted.
type waiting struct {
	app      *app
	kind, id string
	wanted   string // a state, or steady; "": nothing is waited for
	as       string

	resting map[string]bool // states that aren't transitional
}

// overdue is the error of waiting in vain.
func (w *waiting) overdue(after time.Duration) error {
	return fmt.Errorf("%s/%s didn't come to %q within %v", w.kind, w.id, w.wanted, after)
}

// learn asks the machine which states there are.
func (w *waiting) learn(ctx context.Context) error {
	if w.wanted == "" {
		return nil
	}
	var m machine
	if err := w.app.client.Fetch(ctx, machinePath(w.kind), asMachine, &m); err != nil {
		return err
	}
	w.resting = make(map[string]bool)
	known := []string{steady}
	for _, s := range m.States {
		w.resting[s.Name] = s.Class != "transitional"
		known = append(known, s.Name)
	}
	if _, there := w.resting[w.wanted]; !there && w.wanted != steady {
		return badUsage("--wait %q: no state of a %s (allowed: %s)", w.wanted, w.kind, joined(known))
	}
	return nil
}
