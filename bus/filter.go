package bus

import (
	"fmt"
	"slices"
	"strings"
)

// subject names a resource.
type subject struct{ kind, id string }

// filter selects events by their header. All parts that are set must hold; a header field that is missing never matches.
type filter struct {
	patterns []Pattern
	tenant   string
	resource subject
	where    []func(Header) bool
}

// admitsType asks the patterns.
func (f *filter) admitsType(eventType string) bool {
	return len(f.patterns) == 0 || slices.ContainsFunc(f.patterns, func(p Pattern) bool { return p.Match(eventType) })
}

// admitsFields asks all but the patterns; false with an error if a Where function panicked.
func (f *filter) admitsFields(h *Header) (bool, error) {
	if f.tenant != "" && h.Tenant != f.tenant {
		return false, nil
	}
	if f.resource.kind != "" && (h.Kind != f.resource.kind || f.resource.id != "" && h.ResourceID != f.resource.id) {
		return false, nil
	}
	if len(f.where) == 0 {
		return true, nil
	}
	return f.admitsWhere(h)
}

func (f *filter) admitsWhere(h *Header) (ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			ok, err = false, newPanicError(r)
		}
	}()
	for _, match := range f.where {
		if !match(*h) {
			return false, nil
		}
	}
	return true, nil
}

func (f *filter) String() string {
	var parts []string
	for _, p := range f.patterns {
		parts = append(parts, "type="+p.String())
	}
	if f.tenant != "" {
		parts = append(parts, "tenant="+f.tenant)
	}
	if f.resource.kind != "" {
		parts = append(parts, "resource="+strings.TrimSuffix(f.resource.kind+"/"+f.resource.id, "/"))
	}
	if n := len(f.where); n > 0 {
		parts = append(parts, fmt.Sprintf("where=%d", n))
	}
	return strings.Join(parts, " ")
}
