package bus

import "sync/atomic"

// label says for ever which event it was. The contexts of its deliveries have it, because events themselves are used again.
type label struct {
	id      ID
	edition *edition
}

// edition is what outlives one use of a sheet.
type edition struct {
	labels       [sheetSize]label
	correlations atomic.Pointer[[sheetSize]string] // nil: none has one
	sheet        interface {
		header(e *edition, i int) (Header, bool)
	}
}

func newEdition[T any](s *sheet[T]) *edition {
	e := &edition{sheet: s}
	for i := range e.labels {
		e.labels[i].edition = e
	}
	return e
}

func (l *label) place() int {
	i := 0
	for &l.edition.labels[i] != l {
		i++
	}
	return i
}

// correlate notes the event's correlation. Others of the edition may do the same at the same time.
func (l *label) correlate(id string) {
	all := &l.edition.correlations
	if all.Load() == nil {
		all.CompareAndSwap(nil, new([sheetSize]string))
	}
	all.Load()[l.place()] = id
}

func (l *label) correlation() string {
	if all := l.edition.correlations.Load(); all != nil {
		return all[l.place()]
	}
	return ""
}

// whole is the whole header, as long as anybody still has to do with the event.
func (l *label) whole() (Header, bool) { return l.edition.sheet.header(l.edition, l.place()) }

// header is the whole header if it can still be had, else ID and correlation.
func (l *label) header() Header {
	if h, ok := l.whole(); ok {
		return h
	}
	return Header{ID: l.id, CorrelationID: l.correlation()}
}
