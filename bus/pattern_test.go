package bus_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
)

func TestParsePattern(t *testing.T) {
	for _, ok := range []string{"a", "a.b", "*", ">", "a.*", "a.>", "*.b.>", "a-b_9.c", "*.*"} {
		if p, err := bus.ParsePattern(ok); err != nil || p.String() != ok {
			t.Errorf("ParsePattern(%q) = %q, %v", ok, p, err)
		}
	}
	for pattern, says := range map[string]string{
		"": "empty", ".": "empty token", "a.": "empty token", ".a": "empty token", "a..b": "empty token",
		"a.>.b": "only at the end", ">.a": "only at the end", "A": "isn't allowed", "a b": "isn't allowed",
		"a.b*": "isn't allowed", "a.>b": "isn't allowed", "ä": "isn't allowed", "a\n": "isn't allowed",
	} {
		_, err := bus.ParsePattern(pattern)
		if e := (*bus.PatternError)(nil); !errors.As(err, &e) || e.Pattern != pattern || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "allowed:") {
			t.Errorf("ParsePattern(%q): %v; want a *PatternError that says %q and what is allowed", pattern, err, says)
		}
	}
}

func TestPatternMatch(t *testing.T) {
	tests := []struct {
		pattern, typ string
		want         bool
	}{
		{"vm.>", "vm.state.running", true},
		{"vm.>", "vm", false}, // > stands for at least one token
		{"vm.>", "vmx.y", false},
		{"vm.*", "vm.created", true},
		{"vm.*", "vm.state.running", false},
		{"*.state.*", "vm.state.running", true},
		{"*.state.*", "vm.state", false},
		{"*.state.>", "vm.state.a.b", true},
		{"*", "vm", true},
		{">", "vm.created", true},
		{"vm.created", "vm.created", true},
		{"vm.created", "vm.create", false},
		{">", "", false},
		{"*", "", false},
	}
	for _, tt := range tests {
		p, err := bus.ParsePattern(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(tt.typ); got != tt.want {
			t.Errorf("%q matches %q: %v, want %v", tt.pattern, tt.typ, got, tt.want)
		}
	}
	if (bus.Pattern{}).Match("vm") {
		t.Error("the zero pattern matches")
	}
}

// naiveMatch is NATS's rule, token by token.
func naiveMatch(pattern, typ []string) bool {
	switch {
	case len(pattern) == 0 || len(typ) == 0:
		return len(pattern) == len(typ)
	case pattern[0] == ">":
		return true
	case pattern[0] == "*" || pattern[0] == typ[0]:
		return naiveMatch(pattern[1:], typ[1:])
	default:
		return false
	}
}

// naiveValid says what a pattern is: tokens, wildcards alone in theirs, > last.
func naiveValid(s string, wildcards bool) bool {
	tokens := strings.Split(s, ".")
	for i, token := range tokens {
		if wildcards && (token == "*" || token == ">" && i == len(tokens)-1) {
			continue
		}
		if token == "" || strings.Trim(token, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return false
		}
		for _, r := range token {
			if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_-", r) {
				return false
			}
		}
	}
	return true
}

func FuzzPattern(f *testing.F) {
	for _, s := range [][2]string{
		{"vm.>", "vm.created"}, {"*.b", "a.b"}, {">", "a"}, {"a.*.c.>", "a.b.c.d.e"}, {"a", "a"}, {"a..b", "a..b"}, {"a.>.b", "a.x.b"}, {"*", ""}, {"A", "a"}, {"a.>", "a."},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, typ string) {
		p, err := bus.ParsePattern(pattern)
		if valid := naiveValid(pattern, true); valid != (err == nil) {
			t.Fatalf("ParsePattern(%q): %v; the naive parser says valid is %v", pattern, err, valid)
		}
		if err != nil || !naiveValid(typ, false) {
			return
		}
		want := naiveMatch(strings.Split(pattern, "."), strings.Split(typ, "."))
		if got := p.Match(typ); got != want {
			t.Fatalf("%q matches %q: %v, naive matcher: %v", pattern, typ, got, want)
		}
	})
}
