package eventlog

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gorm.io/gorm"
)

// Page is a part of a listing.
type Page struct {
	Events []*Event `json:"events"`
	// Next is After of the page that comes after this one, Previous is Before of the one that comes before it; "" when there is none.
	Next     string `json:"next,omitempty"`
	Previous string `json:"previous,omitempty"`
	// Partial: the search has worked enough for one page before that was full. There may be more, Next or Previous leads on from where it stopped, at ScannedTo.
	Partial   bool   `json:"partial,omitempty"`
	ScannedTo uint64 `json:"scanned_to,omitempty"`
}

// List returns a page of what a query selects. It may lag behind the journal by what the plugin's subscription has not read yet; bus.Flush waits for it.
//
// A page takes the same time however long the log is. For that a search that finds little stops after some work, and the page is Partial: with
// few events or none, and a cursor to go on with. Error: *QueryError.
func (p *Plugin) List(ctx context.Context, q Query) (*Page, error) {
	if p.runtime == nil {
		return nil, errNotStarted
	}
	f, err := q.compile()
	if err != nil {
		return nil, err
	}
	f.effort = p.options.Effort
	w, err := f.walk()
	if err != nil {
		return nil, err
	}
	page := new(Page)
	err = p.reading(ctx, func(db *gorm.DB) (err error) {
		page, err = w.page(db)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("eventlog: list: %w", err)
	}
	return page, nil
}

// reading runs several reads of one state of the database.
func (p *Plugin) reading(ctx context.Context, do func(*gorm.DB) error) error {
	return p.runtime.Read().WithContext(ctx).Transaction(do)
}

// walk is a step through a listing, forth or back.
type walk struct {
	filter *filter
	back   bool
	given  bool   // there is a cursor
	cursor uint64 // excluded
}

func (f *filter) walk() (w walk, err error) {
	w.filter = f
	switch {
	case f.After != "" && f.Before != "":
		return w, &QueryError{Field: "before", Value: f.Before, Reason: "is given, and after too"}
	case f.After != "":
		w.given = true
		w.cursor, err = parseCursor("after", f.Order, f.After)
	case f.Before != "":
		w.back, w.given = true, true
		w.cursor, err = parseCursor("before", f.Order, f.Before)
	}
	return w, err
}

// falls reports whether numbers fall on the way.
func (w *walk) falls() bool { return (w.filter.Order == Newest) != w.back }

func (w *walk) page(db *gorm.DB) (*Page, error) {
	low, high, err := w.bounds(db)
	if err != nil {
		return nil, err
	}
	h, err := w.filter.begin(db, w.falls(), low, high)
	if err != nil {
		return nil, err
	}
	limit := w.filter.Limit
	c, err := h.find(limit + 1) // one more says whether there is one
	if err != nil {
		return nil, err
	}
	if len(c.events) > limit {
		c = catch{events: c.events[:limit], scanned: c.events[limit-1].Seq}
	}
	return w.pageOf(c), nil
}

// bounds returns the numbers that are ahead. What comes while it's being looked at doesn't count as looked at.
func (w *walk) bounds(db *gorm.DB) (low, high uint64, err error) {
	if err := db.Raw("SELECT COALESCE(MAX(seq), 0) FROM eventlog").Scan(&high).Error; err != nil || !w.given {
		return 1, high, err
	}
	if w.falls() {
		return 1, min(high, max(w.cursor, 1)-1), nil
	}
	return w.cursor + 1, high, nil
}

// pageOf gives a catch its cursors.
func (w *walk) pageOf(c catch) *Page {
	order, limit := w.filter.Order, w.filter.Limit
	page := &Page{Events: c.events}
	if page.Events == nil {
		page.Events = []*Event{}
	}
	ahead, behind := "", ""
	if !c.ended {
		ahead = cursorOf(order, c.scanned)
		if page.Partial = len(c.events) < limit; page.Partial {
			page.ScannedTo = c.scanned
		}
	}
	switch {
	case len(c.events) > 0 && (w.given || w.back):
		behind = cursorOf(order, c.events[0].Seq)
	case w.given && w.falls(): // from here the other way, the event at the cursor comes first
		behind = cursorOf(order, max(w.cursor, 1)-1)
	case w.given:
		behind = cursorOf(order, min(w.cursor+1, math.MaxInt64))
	}
	if w.back {
		slices.Reverse(page.Events)
		ahead, behind = behind, ahead
	}
	page.Next, page.Previous = ahead, behind
	return page
}
