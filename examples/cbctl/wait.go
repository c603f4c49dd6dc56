package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
)

// arrived reports whether a state is the wanted one; an error says that it won't be.
func (w *waiting) arrived(state string) (bool, error) {
	switch {
	case state == w.wanted, w.wanted == steady && w.resting[state]:
		return true, nil
	case w.resting[state]:
		return false, fmt.Errorf("%s/%s came to rest in %q, not %q", w.kind, w.id, state, w.wanted)
	}
	return false, nil
}

// wait follows the resource's events until it has arrived. The stream begins behind the newest event there was before the resource is looked at, so
// none falls between the two.
func (w *waiting) wait(ctx context.Context, c change) error {
	if done, err := w.arrived(c.To); done || err != nil {
		return err
	}
	a := w.app
	bar := a.newProgress("waiting, "+c.To, nil)
	defer bar.end()
	since, err := a.newest(ctx)
	if err != nil {
		return err
	}
	body, err := a.client.Read(ctx, resourcePath(w.kind, w.id), nil)
	if err != nil {
		return err
	}
	var r resource
	if err := a.decode(resourcePath(w.kind, w.id), body, &r); err != nil {
		return err
	}
	if r.State != c.To {
		if err := w.tell(r.State, body); err != nil {
			return err
		}
		if done, err := w.arrived(r.State); done || err != nil {
			return err
		}
	}
	query := url.Values{"kind": {w.kind}, "id": {w.id}, "after": {since}, "type": {w.kind + ".state.*"}}
	for e, err := range a.client.Follow(ctx, query, a.tellInterruption) {
		if err != nil {
			return err
		}
		var moved change
		if err := a.decode(eventsPath, e.Data, &moved); err != nil {
			return err
		}
		bar.describe("waiting, " + show.Plain(moved.To))
		if err := w.tell(moved.To, e.Raw); err != nil {
			return err
		}
		if done, err := w.arrived(moved.To); done || err != nil {
			return err
		}
	}
	return nil
}

// tell writes where the resource is now: that, or what says so.
func (w *waiting) tell(state string, raw json.RawMessage) error {
	if w.as == asJSON {
		return firstOf(w.app.out.json(raw), w.app.out.flush)
	}
	err := w.app.out.line("%s is %s", show.Plain(w.kind+"/"+w.id), w.app.ink.In(show.Strong, state))
	return firstOf(err, w.app.out.flush)
}

// newest is the number of the newest event, 0 if there is none.
func (a *app) newest(ctx context.Context) (string, error) {
	l := client.Listing{Path: eventsPath, Query: url.Values{"order": {"newest"}}, Items: "events", Cursor: "before", Most: 1}
	for e, err := range client.Decoded[client.Event](a.client, l, a.client.List(ctx, l)) {
		return fmt.Sprint(e.Seq), err
	}
	return "0", nil
}

func joined(names []string) string { return strings.Join(names, ", ") }
