package main

import (
	"context"
	"encoding/json"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
)

// list writes a listing: as the server says it, or as a table to which add adds a row for each entry.
func list[T any](a *app, ctx context.Context, l client.Listing, as string, t *show.Table, add func(T)) error {
	if l.Most < 0 {
		return badUsage("--limit %d: from 1", l.Most)
	}
	for item, err := range a.client.List(ctx, l) {
		if err == nil && as == asJSON {
			err = a.out.json(item)
		}
		if err != nil {
			return err
		}
		if as != asJSON {
			var v T
			if err := a.decode(l.Path, item, &v); err != nil {
				return err
			}
			add(v)
		}
	}
	if as == asJSON {
		return nil
	}
	return a.out.table(t)
}

// rows writes an answer that comes whole: as it is, or its entries as a table.
func rows[T any](a *app, path string, body []byte, items, as string, t *show.Table, add func(T)) error {
	if as == asJSON {
		return a.out.json(body)
	}
	var all map[string]json.RawMessage
	if err := a.decode(path, body, &all); err != nil {
		return err
	}
	var list []T
	if err := a.decode(path, all[items], &list); err != nil {
		return err
	}
	for _, v := range list {
		add(v)
	}
	return a.out.table(t)
}

func subjectOf(kind, id string) string {
	if id == "" {
		return kind
	}
	return kind + "/" + id
}
