package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
)

// follow is books about the present state of the resources of a kind: a sum, or who is in a state since when. They begin with the resources' tables and go on with the events, each of which
// counts if it is newer than what the books know of its resource. So they are right whatever the journal still has, and a replay alters nothing.
type follow interface {
	key() string  // says all that the books depend on: other books have another key
	kind() string // of the resources
	// apply brings the books in line with a resource.
	apply(s *session, o *observation) error
	// ids lists the resources in the books with an ID above after, and up to last if that isn't empty, in order; at most so many.
	ids(s *session, after, last string, limit int) ([]string, error)
	// filled is called when the books are complete.
	filled(s *session) error
}

// followRow says how far books are.
type followRow struct {
	Follow   string `gorm:"primaryKey"`
	FromSeq  int64  // events up to here are in the tables that were read
	Seq      int64  // events up to here are in the books
	Reached  string // the ID of the last resource that was read
	Complete int64  // 1: all were read
}

// TableName is gorm's.
func (followRow) TableName() string { return "alerts_follows" }

// loadFollows reads how far all books are.
func (s *session) loadFollows() error {
	if len(s.p.followed) == 0 {
		return nil
	}
	var rows []*followRow
	if err := s.tx.DB().Find(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		s.follows[r.Follow] = r
	}
	return nil
}

// current reports whether the books of a follow take events: they are begun, and have missed none. Books that another server, with other rules, has left behind are filled anew.
func (s *session) current(f follow) bool {
	r := s.follows[f.key()]
	return r != nil && uint64(r.Seq) >= s.seen
}

func (s *session) complete(f follow) bool { return s.current(f) && s.follows[f.key()].Complete == 1 }

// follow shows an event to all books.
func (s *session) follow(o *observation) error {
	for _, f := range s.p.followed {
		if f.kind() != o.kind || !s.current(f) || o.seq <= uint64(s.follows[f.key()].FromSeq) {
			continue
		}
		if err := f.apply(s, o); err != nil {
			return err
		}
	}
	return nil
}

// followed notes that the books have all events up to one.
func (s *session) followed(seq uint64) error {
	keys := make([]string, 0, len(s.p.followed))
	for _, f := range s.p.followed {
		if s.current(f) {
			keys = append(keys, f.key())
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return s.tx.DB().Exec("UPDATE alerts_follows SET seq = ? WHERE follow IN ? AND seq < ?", seq, keys, seq).Error
}

// pageOfFill is how many resources are read in one transaction.
const pageOfFill = 500

// fill completes the books that aren't complete, page by page, each in a transaction of its own. What is read in it is at least as new as the events that came before it, and what is newer
// comes as an event after it.
func (p *Plugin) fill(ctx context.Context) error {
	for _, f := range p.followed {
		for {
			done, err := p.fillPage(ctx, f)
			if err != nil {
				return fmt.Errorf("alerts: the books %s: %w", f.key(), err)
			}
			if done {
				break
			}
		}
	}
	return nil
}

func (p *Plugin) fillPage(ctx context.Context, f follow) (done bool, err error) {
	err = p.write(ctx, func(s *session) error {
		if err := s.loadFollows(); err != nil {
			return err
		}
		if done = s.complete(f); done {
			return nil
		}
		done, err = s.fillPage(f)
		return err
	})
	return done, err
}

func (s *session) fillPage(f follow) (done bool, err error) {
	r := s.follows[f.key()]
	if !s.current(f) {
		_, head, err := s.p.runtime.Journal().Bounds(s.tx.Context())
		if err != nil {
			return false, err
		}
		r = &followRow{Follow: f.key(), FromSeq: int64(head), Seq: int64(s.seen)}
		s.follows[f.key()] = r
	}
	found, next, err := s.p.page(s.tx.Context(), f.kind(), r.Reached)
	if err != nil {
		return false, err
	}
	if err := s.preloadShares(idsIn(found)); err != nil {
		return false, err
	}
	if err := s.merge(f, r.Reached, next, found); err != nil {
		return false, err
	}
	if r.Reached = next; next == "" {
		r.Complete = 1
	}
	if err := s.settleSums(); err != nil {
		return false, err
	}
	err = s.tx.DB().Exec(`INSERT INTO alerts_follows (follow, from_seq, seq, reached, complete) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (follow) DO UPDATE SET from_seq = excluded.from_seq, seq = excluded.seq, reached = excluded.reached, complete = excluded.complete`,
		r.Follow, r.FromSeq, r.Seq, r.Reached, r.Complete).Error
	if err != nil || next != "" {
		return false, err
	}
	return true, f.filled(s)
}

// page reads resources from their table.
func (p *Plugin) page(ctx context.Context, kind, after string) (found []*observation, next string, err error) {
	h, err := p.options.Engine.Kind(kind)
	if err != nil {
		return nil, "", err
	}
	items, next, err := h.List(ctx, resources.Query{After: after, Limit: pageOfFill})
	if err != nil {
		return nil, "", err
	}
	for _, item := range items {
		o := resources.ObjectOf(item)
		found = append(found, &observation{kind: kind, id: o.ID, tenant: o.Tenant, at: o.StateSince, object: *o, resource: item})
	}
	return found, next, nil
}

func idsIn(found []*observation) []string {
	ids := make([]string, len(found))
	for n, o := range found {
		ids[n] = o.id
	}
	return ids
}

// merge applies a page of resources, and takes out of the books what isn't among them.
func (s *session) merge(f follow, after, last string, found []*observation) error {
	for _, o := range found {
		if err := f.apply(s, o); err != nil {
			return err
		}
	}
	for {
		ids, err := f.ids(s, after, last, pageOfFill)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if slices.ContainsFunc(found, func(o *observation) bool { return o.id == id }) {
				continue
			}
			if err := f.apply(s, &observation{kind: f.kind(), id: id, gone: true}); err != nil {
				return err
			}
		}
		if len(ids) < pageOfFill {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// dropFollows forgets books that no rule needs any more.
func (s *session) dropFollows() error {
	keys := []string{""}
	for _, f := range s.p.followed {
		keys = append(keys, f.key())
	}
	for _, table := range []string{"alerts_follows", "alerts_stays", "alerts_shares", "alerts_sums"} {
		if err := s.tx.DB().Exec("DELETE FROM "+table+" WHERE follow NOT IN ?", keys).Error; err != nil {
			return err
		}
	}
	return nil
}

// pending reports whether the journal has a change of a resource that the rules haven't seen yet.
func (s *session) pending(kind, id string) (bool, error) {
	found, err := s.p.runtime.Journal().Query(s.tx.Context(), journal.Query{Kind: kind, ResourceID: id, After: s.seen, Type: kind + ".>", Limit: 1})
	return len(found) > 0, err
}

// resource returns a resource as the event at hand has it, or as it is; nil if that can't be known.
func (s *session) resource(kind, id string) (any, error) {
	if o := s.subject; o != nil && o.kind == kind && o.id == id && o.resource != nil {
		return o.resource, nil
	}
	if s.p.options.Engine == nil {
		return nil, nil
	}
	h, err := s.p.options.Engine.Kind(kind)
	if err != nil {
		return nil, nil //nolint:nilerr // a kind that the engine doesn't have has no resources
	}
	found, err := h.Get(s.tx.Context(), id)
	if err != nil {
		if errors.Is(err, resources.ErrNotFound) {
			err = nil
		}
		return nil, err
	}
	return found, nil
}
