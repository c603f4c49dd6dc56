package usage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Reconciliation is what comes of comparing the ledger with live resources and with the journal.
type Reconciliation struct {
	At          time.Time    `json:"at"`
	Kinds       []string     `json:"kinds"`       // that were compared
	Live        []string     `json:"live"`        // of them those whose live resources were seen, too
	Resources   int64        `json:"resources"`   // live ones
	Intervals   int64        `json:"intervals"`   // of the ledger
	Events      int64        `json:"events"`      // of the journal
	Faults      int64        `json:"faults"`      // differences that aren't pending
	Pending     int64        `json:"pending"`     // differences that may go by themselves
	Differences []Difference `json:"differences"` // at most MaxDifferences of both
}

// MaxDifferences is how many differences a Reconciliation names; all are counted.
const MaxDifferences = 1000

// What the ledger was compared with.
const (
	AgainstResource = "resource"
	AgainstJournal  = "journal"
)

// Why a difference may go by itself.
const (
	Behind   = "behind"   // the ledger hasn't read the newest event of the resource
	Parked   = "parked"   // events of the resource are set aside, and wait to be replayed
	Changing = "changing" // the resource was changed while it was compared
)

// Difference is something that the ledger has, and should not, or the other way round.
type Difference struct {
	Against    string    `json:"against"` // AgainstResource, AgainstJournal
	Kind       string    `json:"kind"`
	ResourceID string    `json:"resource_id"`
	Meter      string    `json:"meter,omitempty"` // "": all of the resource
	Reason     string    `json:"reason"`          // for people
	Is         *Entry    `json:"is"`              // what the ledger has; nil: nothing
	Should     *Entry    `json:"should"`          // what it should have; nil: nothing
	State      fsm.State `json:"state,omitempty"` // of the live resource
	Seq        uint64    `json:"seq,omitempty"`   // of the newest event that the ledger has read of the resource, or of the one that says otherwise
	Pending    string    `json:"pending,omitempty"`
}

// Entry is an interval of the ledger. Against a live resource nothing is said about when it should have begun.
type Entry struct {
	OpenedSeq uint64    `json:"opened_seq,omitempty"`
	ClosedSeq uint64    `json:"closed_seq,omitempty"`
	Tenant    string    `json:"tenant,omitempty"`
	Size      Size      `json:"size,omitzero"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
}

func (i *interval) entry() *Entry {
	e := &Entry{OpenedSeq: i.OpenedSeq, ClosedSeq: i.ClosedSeq, Tenant: i.Tenant, Size: i.Size, StartedAt: time.Unix(0, i.StartedAt).UTC()}
	if i.ClosedSeq != 0 {
		e.EndedAt = time.Unix(0, i.EndedAt).UTC()
	}
	return e
}

// ErrReconciling: one reconciliation at a time is enough.
var ErrReconciling = errors.New("usage: a reconciliation is under way already")

// Reconcile compares the ledger with the live resources, if Options.Engine is there, and with what the journal still holds, and says what differs. It alters nothing: corrections do.
//
// Each resource is compared as of one moment, the ledger's own position in the journal; what is in the journal beyond that makes a difference pending, not a fault. Resources are
// taken in pages, each in a short read transaction, so memory and the database's other work don't depend on how many there are. Error: ErrReconciling, what the database says.
func (p *Plugin) Reconcile(ctx context.Context) (*Reconciliation, error) {
	if p.runtime == nil {
		return nil, errors.New("usage: reconcile: the plugin hasn't started")
	}
	if !p.reconciling.TryLock() {
		return nil, ErrReconciling
	}
	defer p.reconciling.Unlock()
	r := &reconciler{
		p: p, db: p.runtime.Read().WithContext(ctx), parked: make(map[resource]bool),
		result: &Reconciliation{At: p.runtime.Now().UTC(), Live: []string{}, Differences: []Difference{}},
	}
	if err := r.run(ctx); err != nil {
		return nil, fmt.Errorf("usage: reconcile: %w", err)
	}
	return r.result, nil
}

func (r *reconciler) run(ctx context.Context) error {
	all, err := r.p.runtime.Journal().ParkedResources(ctx, Name)
	if err != nil {
		return err
	}
	for _, one := range all {
		r.parked[resource{one.Kind, one.ResourceID}] = true
	}
	for _, kind := range r.p.table.metered() {
		w := &kindWalk{reconciler: r, kind: kind, machine: r.p.table.machines[kind], meters: r.p.table.meters[kind]}
		if e := r.p.options.Engine; e != nil {
			w.live, err = e.Kind(kind)
			if errors.As(err, new(*resources.UnknownError)) {
				w.live, err = nil, nil
			}
		}
		if err == nil {
			err = w.walk(ctx)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

// note adds a difference, or counts it if there are too many.
func (r *reconciler) note(d Difference) {
	if d.Pending == "" && r.parked[resource{d.Kind, d.ResourceID}] {
		d.Pending = Parked
	}
	if d.Pending != "" {
		r.result.Pending++
	} else {
		r.result.Faults++
	}
	if len(r.result.Differences) < MaxDifferences {
		r.result.Differences = append(r.result.Differences, d)
	}
}
