package alerts

import (
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// reported is a rule over what providers report: disagreement, orphan. Others find it out, and say when it is over; bridge/status does.
type reported struct{ *Rule }

// disagreed raises, or clears, that a resource's own state and its observed status don't agree.
func (u *reported) disagreed(s *session, d resources.Disagreed, at time.Time) error {
	if u.Type != DisagreementRule || !u.isAbout(d.Kind) || !u.hasState(d.State) && !d.Over {
		return nil
	}
	what := about{kind: d.Kind, id: d.ResourceID, tenant: d.Tenant}
	if d.Over {
		return s.clear(u.Name, what, at)
	}
	return s.raise(u.Rule, what, fmt.Sprintf("%s/%s is %s, but %s has observed %s since %s", d.Kind, d.ResourceID, d.State, d.Provider, d.Status, d.Since.UTC().Format(time.RFC3339)), at, 1)
}

// orphaned raises, or clears, that a resource is reported which isn't there.
func (u *reported) orphaned(s *session, o resources.Orphaned, at time.Time) error {
	if u.Type != OrphanRule || !u.isAbout(o.Kind) {
		return nil
	}
	what := about{kind: o.Kind, id: o.ResourceID}
	if o.Over {
		return s.clear(u.Name, what, at)
	}
	return s.raise(u.Rule, what, fmt.Sprintf("%s reports %s/%s as %s since %s, but there is none", o.Provider, o.Kind, o.ResourceID, o.Status, o.Since.UTC().Format(time.RFC3339)), at, 1)
}

// reports are the types of events that rules over reports follow, by kind.
func reports(kind string) []string {
	root := "status." + kind + "."
	return []string{resources.RefusedType(kind), root + "disagreed", root + "agreed", root + "orphaned", root + "adopted"}
}

// registerReports registers them: a server may have the plugin, but no engine of its own.
func registerReports(b *bus.Bus, kind string) error {
	types := reports(kind)
	return errors.Join(
		bus.Register[resources.Refused](b, types[0], 1), bus.Register[resources.Disagreed](b, types[1], 1), bus.Register[resources.Disagreed](b, types[2], 1),
		bus.Register[resources.Orphaned](b, types[3], 1), bus.Register[resources.Orphaned](b, types[4], 1))
}
