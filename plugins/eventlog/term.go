package eventlog

import (
	"slices"
	"strings"
)

// Every filter is a term; an event has those of its header, its level, its words and whether it's archived.
// A term is what it is about, a colon, and the value.
const (
	ofKind        = "k:"
	ofResource    = "r:"
	ofTenant      = "t:"
	ofActor       = "a:"
	ofType        = "y:"
	ofLevel       = "l:"
	ofCorrelation = "c:"
	ofID          = "e:"
	ofWord        = "w:"
	ofArchive     = "x:" // x:0 is in the log, x:1 is archived
	overflow      = "o:" // has more words than the index takes
)

const (
	inLog    = ofArchive + "0"
	archived = ofArchive + "1"
)

// maxWords is how many different words of an event the index takes.
const maxWords = 256

// terms returns the terms of an event, each once.
func (e *Event) terms() []string {
	all := make([]string, 0, 32)
	for _, t := range []struct{ of, value string }{
		{ofKind, e.Kind}, {ofResource, e.ResourceID}, {ofTenant, e.Tenant}, {ofActor, e.Actor}, {ofType, e.Type}, {ofLevel, e.Level},
		{ofCorrelation, e.CorrelationID}, {ofID, e.ID.String()},
	} {
		if t.value != "" {
			all = append(all, t.of+t.value)
		}
	}
	if e.ArchivedAt.IsZero() {
		all = append(all, inLog)
	} else {
		all = append(all, archived)
	}
	return appendWords(all, e.Data)
}

func appendWords(all []string, data []byte) []string {
	from := len(all)
	for text := range texts(data) {
		for word := range words(text) {
			all = append(all, ofWord+cut(word))
		}
		if len(all)-from > 4*maxWords { // before it gets long
			if all = compact(all, from); len(all)-from > maxWords {
				break
			}
		}
	}
	all = compact(all, from)
	if len(all)-from > maxWords {
		all = append(all[:from+maxWords], overflow)
	}
	return all
}

// compact sorts what comes from a place on, and leaves out what is there twice.
func compact(all []string, from int) []string {
	tail := all[from:]
	slices.SortFunc(tail, strings.Compare)
	return all[:from+len(slices.Compact(tail))]
}

// blockBits is the binary logarithm of how many events share a row of the index: 32, so that bits are positive in 64 bits of any database.
const blockBits = 5

// blockOf returns the row of the index that an event is in, and its bit there.
func blockOf(seq uint64) (block int64, bit uint32) {
	return int64(seq >> blockBits), 1 << (seq & (1<<blockBits - 1))
}

// posting is a row of the index.
type posting struct {
	term  string
	block int64
	bits  uint32
}

// postings returns the rows that events have in the index, in order of term and block.
func postings(events []*Event) []posting {
	var all []posting
	for _, e := range events {
		block, bit := blockOf(e.Seq)
		for _, term := range e.terms() {
			all = append(all, posting{term, block, bit})
		}
	}
	return mergePostings(all)
}

func mergePostings(all []posting) []posting {
	slices.SortFunc(all, func(a, b posting) int {
		if c := strings.Compare(a.term, b.term); c != 0 {
			return c
		}
		return int(a.block - b.block)
	})
	merged := all[:0]
	for _, p := range all {
		if n := len(merged); n > 0 && merged[n-1].term == p.term && merged[n-1].block == p.block {
			merged[n-1].bits |= p.bits
			continue
		}
		merged = append(merged, p)
	}
	return merged
}
