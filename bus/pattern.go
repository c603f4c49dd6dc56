package bus

import (
	"strconv"
	"strings"
)

// A Pattern selects event types, as NATS selects subjects: * stands for one token, > at the end for one or more.
// The zero Pattern matches nothing. Patterns are immutable and comparable.
type Pattern struct {
	text string
	form form
}

type form uint8

const (
	formNone    form = iota
	formLiteral      // a.b.c
	formAll          // >
	formPrefix       // a.b.>
	formTokens       // with *
)

// ParsePattern checks and compiles a pattern; errors are *PatternError.
func ParsePattern(s string) (Pattern, error) {
	if s == "" {
		return Pattern{}, &PatternError{Pattern: s, Reason: "empty"}
	}
	f := formLiteral
	rest, more := s, true
	for more {
		var token string
		token, rest, more = strings.Cut(rest, ".")
		switch {
		case token == "":
			return Pattern{}, &PatternError{Pattern: s, Reason: "empty token"}
		case token == ">" && more:
			return Pattern{}, &PatternError{Pattern: s, Reason: "> stands only at the end"}
		case token == ">":
			if f == formLiteral {
				f = formPrefix
			}
		case token == "*":
			f = formTokens
		case !isToken(token):
			return Pattern{}, &PatternError{Pattern: s, Reason: "token " + strconv.Quote(token) + " has a character that isn't allowed"}
		}
	}
	if s == ">" {
		f = formAll
	}
	return Pattern{text: s, form: f}, nil
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Match reports whether an event type is selected. A string that is no event type never is.
func (p Pattern) Match(eventType string) bool {
	switch p.form {
	case formNone:
		return false
	case formAll:
		return eventType != ""
	case formLiteral:
		return eventType == p.text
	case formPrefix:
		prefix := p.text[:len(p.text)-1] // with its dot
		return len(eventType) > len(prefix) && eventType[:len(prefix)] == prefix
	default:
		return matchTokens(p.text, eventType)
	}
}

func matchTokens(pattern, s string) bool {
	for {
		p, pRest, pMore := strings.Cut(pattern, ".")
		if p == ">" {
			return s != ""
		}
		t, sRest, sMore := strings.Cut(s, ".")
		if t == "" || p != "*" && p != t || pMore != sMore {
			return false
		}
		if !pMore {
			return true
		}
		pattern, s = pRest, sRest
	}
}

// moreSpecific reports whether p says more than q: at the first token where they differ in form, a name beats * beats >.
func (p Pattern) moreSpecific(q Pattern) bool {
	a, b := p.text, q.text
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if rank(x) != rank(y) {
			return rank(x) > rank(y)
		}
	}
	return false
}

func rank(token string) int {
	switch token {
	case ">":
		return 0
	case "*":
		return 1
	default:
		return 2
	}
}

// checkType reports why an event type isn't one.
func checkType(s string) error {
	if s == "" {
		return &HeaderError{Field: "Type", Value: s, Reason: "empty"}
	}
	if len(s) > maxField {
		return badField("Type", s)
	}
	for token := range strings.SplitSeq(s, ".") {
		if token == "" {
			return &HeaderError{Field: "Type", Value: s, Reason: "empty token"}
		}
		if !isToken(token) {
			return &HeaderError{Field: "Type", Value: s, Reason: "token " + strconv.Quote(token) + " has a character that isn't allowed (allowed: a-z 0-9 _ -)"}
		}
	}
	return nil
}

func isToken(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return s != ""
}
