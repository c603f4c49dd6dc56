package main

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultPage = 100
	maxPage     = 1000
)

// params reads the query of a request. Its first error is kept, later reads return zero values.
type params struct {
	values url.Values
	err    error
}

// readParams refuses parameters that aren't known: one that is ignored would be a filter that doesn't filter.
func readParams(u *url.URL, known ...string) params {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return params{err: badRequest(nil, "the query cannot be read: %v", err)}
	}
	for name := range values {
		if !slices.Contains(known, name) {
			return params{err: badRequest(known, "unknown parameter %q", name)}
		}
	}
	return params{values: values}
}

func (p *params) refuse(allowed []string, format string, v ...any) {
	if p.err == nil {
		p.err = badRequest(allowed, format, v...)
	}
}

// has reports whether a parameter is there, be it empty.
func (p *params) has(name string) bool { return p.values.Has(name) }

// text is the value of a parameter that may come once.
func (p *params) text(name string) string {
	if len(p.values[name]) > 1 {
		p.refuse(nil, "parameter %q comes more than once", name)
	}
	return p.values.Get(name)
}

// texts are the values of a parameter that may come several times, or with commas between.
func (p *params) texts(name string) []string {
	var all []string
	for _, v := range p.values[name] {
		all = append(all, strings.Split(v, ",")...)
	}
	return all
}

// number is a sequence number; 0 if it isn't there.
func (p *params) number(name string) uint64 {
	s := p.text(name)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		p.refuse(nil, "parameter %q: %q isn't a number from 0", name, s)
	}
	return n
}

// limit is the size of a page; 0 if it isn't there.
func (p *params) limit() int {
	n := p.number("limit")
	if p.has("limit") && (n < 1 || n > maxPage) {
		p.refuse(nil, "parameter \"limit\": from 1 to %d", maxPage)
	}
	return int(min(n, maxPage))
}

// time is an RFC 3339 time; the zero time if it isn't there.
func (p *params) time(name string) time.Time {
	s := p.text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		p.refuse(nil, "parameter %q: %q isn't a time such as 2026-01-02T15:04:05Z", name, s)
	}
	return t
}

// flag is true or false; false if it isn't there.
func (p *params) flag(name string) bool { return p.choice(name, "false", "true") == "true" }

// choice is one of a few words; the first if it isn't there.
func (p *params) choice(name string, words ...string) string {
	s := p.text(name)
	switch {
	case !p.has(name):
		return words[0]
	case !slices.Contains(words, s):
		p.refuse(words, "parameter %q: %q", name, s)
	}
	return s
}
