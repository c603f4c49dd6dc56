package journal

import "strings"

// pattern is a NATS pattern over dotted types: * is one token, > the rest (one or more).
type pattern []string

// parsePattern returns what is wrong with a pattern, or "".
func parsePattern(s string) (p pattern, wrong string) {
	p = strings.Split(s, ".")
	for i, token := range p {
		switch {
		case token == "":
			return nil, "has an empty token"
		case token == ">" && i < len(p)-1:
			return nil, "has > before its end"
		case token != "*" && token != ">" && strings.ContainsAny(token, "*> \t\r\n"):
			return nil, "has a token " + token + " (* and > must stand alone, and there is no white space)"
		}
	}
	return p, ""
}

// literal returns the tokens before the first wildcard, and whether they are all.
func (p pattern) literal() (prefix string, all bool) {
	for i, token := range p {
		if token == "*" || token == ">" {
			return strings.Join(p[:i], "."), false
		}
	}
	return strings.Join(p, "."), true
}

// prefixOnly reports whether the literal prefix says it all: a pattern whose only wildcard is > at the end.
func (p pattern) prefixOnly() bool {
	for _, token := range p[:len(p)-1] {
		if token == "*" {
			return false
		}
	}
	return p[len(p)-1] == ">"
}

func (p pattern) matches(typ string) bool {
	for i, token := range p {
		if token == ">" {
			return typ != ""
		}
		head, rest, more := strings.Cut(typ, ".")
		if head == "" || token != "*" && token != head {
			return false
		}
		if more != (i < len(p)-1) {
			return false
		}
		typ = rest
	}
	return true
}
