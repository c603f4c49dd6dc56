package bridge

import (
	"errors"
	"fmt"
	"strings"
)

// Root is the first token of every subject.
const Root = "cloudbus"

const noTenant = "_"

// ErrSubject is wrapped by the errors of Subject, SubjectPattern and ParseSubject.
var ErrSubject = errors.New("bridge: not a subject")

// Subject returns where an event of a tenant and a type is published: cloudbus.<tenant>.<type>.
//
// No tenant is "_"; bytes of a tenant outside [A-Za-z0-9-] are written as =XX (a tenant "_" is =5F).
// So a pattern vm.> on the bus is cloudbus.*.vm.> on the broker. ParseSubject is the inverse.
// An event type that can't be part of a subject is an error.
func Subject(tenant, eventType string) (string, error) {
	if err := checkTokens(eventType); err != nil {
		return "", fmt.Errorf("%w: type %q: %w", ErrSubject, eventType, err)
	}
	return Root + "." + escapeTenant(tenant) + "." + eventType, nil
}

// SubjectPattern returns the broker's pattern for a pattern of the bus, all tenants: cloudbus.*.vm.> for vm.>.
func SubjectPattern(pattern string) (string, error) {
	tokens := strings.Split(pattern, ".")
	for i, token := range tokens {
		if token == "*" || token == ">" && i == len(tokens)-1 {
			continue
		}
		if err := checkTokens(token); err != nil {
			return "", fmt.Errorf("%w: pattern %q: %w", ErrSubject, pattern, err)
		}
	}
	return Root + ".*." + pattern, nil
}

// ParseSubject returns the tenant and the event type of a subject. It takes nothing but what Subject returns.
func ParseSubject(subject string) (tenant, eventType string, err error) {
	root, rest, _ := strings.Cut(subject, ".")
	escaped, eventType, _ := strings.Cut(rest, ".")
	if root != Root {
		return "", "", fmt.Errorf("%w: %q doesn't begin with %q", ErrSubject, subject, Root+".")
	}
	if tenant, err = unescapeTenant(escaped); err != nil {
		return "", "", fmt.Errorf("%w: %q: %w", ErrSubject, subject, err)
	}
	if err := checkTokens(eventType); err != nil {
		return "", "", fmt.Errorf("%w: %q: type %q: %w", ErrSubject, subject, eventType, err)
	}
	return tenant, eventType, nil
}

// checkTokens allows what every broker of this shape takes: tokens of printable ASCII without wildcards.
func checkTokens(s string) error {
	for token := range strings.SplitSeq(s, ".") {
		if token == "" {
			return errors.New("has an empty token")
		}
		for i := range len(token) {
			if c := token[i]; c <= ' ' || c >= 0x7f || c == '*' || c == '>' {
				return fmt.Errorf("has %q in it", c)
			}
		}
	}
	return nil
}

const upperHex = "0123456789ABCDEF"

func escapeTenant(tenant string) string {
	if tenant == "" {
		return noTenant
	}
	var b strings.Builder
	for i := range len(tenant) {
		c := tenant[i]
		if plainTenantByte(c) {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'=', upperHex[c>>4], upperHex[c&15]})
	}
	return b.String()
}

func unescapeTenant(s string) (string, error) {
	switch s {
	case noTenant:
		return "", nil
	case "":
		return "", errors.New("has no tenant")
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '=' {
			var ok bool
			if c, ok = escapedByte(s[i+1:]); !ok {
				return "", fmt.Errorf("tenant %q: what follows \"=\" at %d must be two upper-case hexadecimal digits of a byte that needs them", s, i)
			}
			i += 2
		} else if !plainTenantByte(c) {
			return "", fmt.Errorf("tenant %q: %q must be written as =%02X", s, c, c)
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}

// escapedByte reads two hexadecimal digits; false if they aren't, or if the byte is one that Subject leaves as it is.
func escapedByte(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	high, low := strings.IndexByte(upperHex, s[0]), strings.IndexByte(upperHex, s[1])
	if high < 0 || low < 0 {
		return 0, false
	}
	c := byte(high<<4 | low)
	return c, !plainTenantByte(c)
}

func plainTenantByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-'
}
