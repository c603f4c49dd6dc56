package eventlog

import (
	"cmp"
	"strings"

	"gorm.io/gorm"
)

// Terms of which a filter takes one or the other are looked up one by one, if they are no more than this. A filter that stands for more
// of them is asked of the events.
const (
	maxPrefixed = 32   // words with a prefix
	maxTypes    = 64   // types that a pattern stands for
	maxExpanded = 1024 // types that are looked at to find those
)

// plan makes the streams that lead to the events a filter selects. Some may be led to that aren't.
func (f *filter) plan(r *reader, db *gorm.DB) (*allOf, error) {
	p := &planner{reader: r, db: db}
	kind := f.Kind
	if f.ResourceID != "" {
		kind = "" // says little more
	}
	for _, t := range []struct{ of, value string }{
		{ofKind, kind}, {ofResource, f.ResourceID}, {ofTenant, f.Tenant}, {ofActor, f.Actor}, {ofCorrelation, f.CorrelationID},
	} {
		if t.value != "" {
			p.any(t.of + t.value)
		}
	}
	if f.id != "" {
		p.any(ofID + f.id)
	}
	if f.chain != "" {
		p.any(ofCorrelation+f.chain, ofID+f.chain)
	}
	p.levels(f.Levels)
	if err := p.types(f); err != nil {
		return nil, err
	}
	for _, c := range f.search {
		if err := p.clause(c); err != nil {
			return nil, err
		}
	}
	if f.timed {
		p.all = append(p.all, &spans{reader: r, from: f.from, until: f.until})
	}
	p.archive(f.Archived)
	r.work = newWork(cmp.Or(f.effort, usualEffort), p.leaves)
	return &allOf{r, p.all}, nil
}

// planner collects streams.
type planner struct {
	*reader
	db     *gorm.DB
	all    []stream
	leaves int
}

// any adds what has one of some terms.
func (p *planner) any(terms ...string) {
	p.leaves += len(terms)
	streams := make([]stream, len(terms))
	for i, t := range terms {
		streams[i] = &postingsOf{reader: p.reader, term: t}
	}
	if len(streams) == 1 {
		p.all = append(p.all, streams[0])
		return
	}
	p.all = append(p.all, &anyOf{p.reader, streams})
}

func (p *planner) levels(levels []string) {
	if len(levels) == 0 {
		return
	}
	terms := make([]string, len(levels))
	for i, level := range levels {
		terms[i] = ofLevel + level
	}
	p.any(terms...)
}

// archive adds what is archived or isn't. It comes last: beside others it has less to do.
func (p *planner) archive(which string) {
	alone := len(p.all) == 0
	switch {
	case which == Archived:
		p.any(archived)
	case which == Unarchived && alone:
		p.any(inLog)
	case which == Unarchived:
		p.leaves++
		p.all = append(p.all, &notArchived{p.reader, &postingsOf{reader: p.reader, term: archived}, &postingsOf{reader: p.reader, term: inLog}})
	case alone:
		p.any(inLog, archived)
	}
}

// types adds those that a pattern stands for.
func (p *planner) types(f *filter) error {
	switch i := wildcard(f.Type); {
	case f.types != nil:
		if len(f.types) <= maxTypes {
			var terms []string
			for t := range f.types {
				terms = append(terms, ofType+t)
			}
			p.any(terms...)
		}
		return nil
	case f.Type == "" || f.Type == ">":
		return nil
	case i < 0:
		p.any(ofType + f.Type)
		return nil
	default:
		known, complete, err := expand(p.db, ofType+f.Type[:i], maxExpanded)
		if err != nil || !complete {
			return err
		}
		var terms []string
		for _, term := range known {
			if f.pattern.Match(strings.TrimPrefix(term, ofType)) {
				terms = append(terms, term)
			}
		}
		if len(terms) <= maxTypes {
			p.any(terms...)
		}
		return nil
	}
}

// clause adds what has the words of a clause, or too many for the index.
func (p *planner) clause(c clause) error {
	for i, word := range c.words {
		if !c.prefix || i < len(c.words)-1 {
			p.any(ofWord+cut(word), overflow)
			continue
		}
		terms, complete, err := expand(p.db, ofWord+cut(word), maxPrefixed)
		if err != nil {
			return err
		}
		if complete {
			p.any(append(terms, overflow)...)
		}
	}
	return nil
}

// highest comes after all that a term can go on with.
const highest = "\U0010FFFF"

// expand lists the terms that begin so, up to a limit; it isn't complete if there are more. Each takes one look into the index, however many events have it.
func expand(db *gorm.DB, prefix string, limit int) (terms []string, complete bool, err error) {
	err = db.Raw(`WITH RECURSIVE found (term) AS (
		SELECT MIN(term) FROM eventlog_terms WHERE term >= ? AND term < ?
		UNION ALL
		SELECT (SELECT MIN(term) FROM eventlog_terms WHERE term > found.term AND term < ?) FROM found WHERE found.term IS NOT NULL)
		SELECT term FROM found WHERE term IS NOT NULL LIMIT ?`, prefix, prefix+highest, prefix+highest, limit+1).Scan(&terms).Error
	return terms, len(terms) <= limit, err
}
