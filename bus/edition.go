package bus

import "sync/atomic"

// edition is what outlives one use of a sheet: it says for ever which events lay on it. The contexts of their deliveries have it,
// because events themselves are used again.
type edition struct {
	ids          [sheetSize]ID
	correlations atomic.Pointer[[sheetSize]string] // nil: none has one
	sheet        interface {
		header(e *edition, place int) (Header, bool)
	}
}

// sign notes which event lies at a place, before anybody gets it.
func (e *edition) sign(place int, h *Header) {
	e.ids[place] = h.ID
	if h.CorrelationID != "" {
		e.correlate(place, h.CorrelationID)
	}
}

// correlate notes an event's correlation. Others of the edition may do the same at the same time.
func (e *edition) correlate(place int, id string) {
	if e.correlations.Load() == nil {
		e.correlations.CompareAndSwap(nil, new([sheetSize]string))
	}
	e.correlations.Load()[place] = id
}

func (e *edition) correlation(place int) string {
	if all := e.correlations.Load(); all != nil {
		return all[place]
	}
	return ""
}

// header is the whole header while anybody still has to do with the event, else ID and correlation.
func (e *edition) header(place int) Header {
	if h, ok := e.sheet.header(e, place); ok {
		return h
	}
	return Header{ID: e.ids[place], CorrelationID: e.correlation(place)}
}
