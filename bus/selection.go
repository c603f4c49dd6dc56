package bus

// taker is what a topic offers events to.
type taker interface{ base() *Subscription }

// selection holds the takers of one event type, sorted by what their filters ask for, so that those that don't match cost nothing.
// Each taker is in one list only. A selection is immutable.
type selection[K taker] struct {
	open       []K
	byTenant   map[string][]K
	byKind     map[string][]K
	byResource map[subject][]K
}

func newSelection[K taker](takers []K, eventType string) selection[K] {
	var s selection[K]
	for _, k := range takers {
		f := &k.base().filter
		if !f.admitsType(eventType) {
			continue
		}
		switch {
		case f.resource.id != "":
			s.byResource = appendTo(s.byResource, f.resource, k)
		case f.tenant != "":
			s.byTenant = appendTo(s.byTenant, f.tenant, k)
		case f.resource.kind != "":
			s.byKind = appendTo(s.byKind, f.resource.kind, k)
		default:
			s.open = append(s.open, k)
		}
	}
	return s
}

func appendTo[M ~map[A][]K, A comparable, K any](m M, at A, k K) M {
	if m == nil {
		m = make(M)
	}
	m[at] = append(m[at], k)
	return m
}

func (s *selection[K]) empty() bool {
	return len(s.open) == 0 && s.byTenant == nil && s.byKind == nil && s.byResource == nil
}

// lists returns the lists whose takers may want an event; their filters have still to be asked.
func (s *selection[K]) lists(h *Header) (lists [4][]K) {
	lists[0] = s.open
	if s.byTenant != nil && h.Tenant != "" {
		lists[1] = s.byTenant[h.Tenant]
	}
	if h.Kind == "" {
		return lists
	}
	if s.byKind != nil {
		lists[2] = s.byKind[h.Kind]
	}
	if s.byResource != nil {
		lists[3] = s.byResource[subject{h.Kind, h.ResourceID}]
	}
	return lists
}
