package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"strconv"
)

// PageSize is how many entries are asked for at once: the most that the server gives.
const PageSize = 1000

// Listing is something that the server gives in pages.
type Listing struct {
	Path   string
	Query  url.Values
	Items  string // the name of the list in the answer: events
	Cursor string // the parameter that takes the answer's "next": after, before
	Most   int    // How many entries at most. Defaults to all.
}

// List yields the entries of a listing as the server gives them, asking for a page when the one before is used up. After an error it ends.
// Errors: those of Read.
func (c *Client) List(ctx context.Context, l Listing) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		query := maps.Clone(l.Query)
		if query == nil {
			query = url.Values{}
		}
		for left := l.Most; ; {
			size := PageSize
			if l.Most > 0 {
				size = min(size, left)
			}
			query.Set("limit", strconv.Itoa(size))
			items, next, err := c.page(ctx, l, query)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if left -= len(items); next == "" || l.Most > 0 && left <= 0 {
				return
			}
			if next == query.Get(l.Cursor) {
				yield(nil, &AnswerError{c.Server(), l.Path, fmt.Sprintf("leads from %q back to itself", next)})
				return
			}
			query.Set(l.Cursor, next)
		}
	}
}

func (c *Client) page(ctx context.Context, l Listing, query url.Values) (items []json.RawMessage, next string, err error) {
	var page map[string]json.RawMessage
	if err := c.Fetch(ctx, l.Path, query, &page); err != nil {
		return nil, "", err
	}
	list, there := page[l.Items]
	if !there {
		return nil, "", &AnswerError{c.Server(), l.Path, fmt.Sprintf("has no %q", l.Items)}
	}
	if err := c.decode(l.Path, list, &items); err != nil {
		return nil, "", err
	}
	if text := page["next"]; text != nil && json.Unmarshal(text, &next) != nil {
		next = string(text) // a number
	}
	return items, next, nil
}

// Decoded decodes what List yields.
func Decoded[T any](c *Client, l Listing, items iter.Seq2[json.RawMessage, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range items {
			var v T
			if err == nil {
				err = c.decode(l.Path, item, &v)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}
