package bus

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// TextFault says what keeps s from being a header field, or "" if nothing does, its length aside: header fields are valid UTF-8 without
// control characters and without code points that stand for no character, because CloudEvents attributes are
// (CloudEvents 1.0.2, section 3.1). Whoever takes texts that end up in headers asks here, so that all refuse the same.
func TextFault(s string) string {
	for len(s) >= 8 && printable(s[:8]) { // most texts are over here: events are checked on their way
		s = s[8:]
	}
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f {
			return runeFault(s[i:])
		}
	}
	return ""
}

func runeFault(s string) string {
	if !utf8.ValidString(s) {
		return "is not valid UTF-8"
	}
	for _, r := range s {
		switch {
		case unicode.IsControl(r):
			return "has a control character"
		case r >= 0xfdd0 && r <= 0xfdef, r&0xfffe == 0xfffe:
			return fmt.Sprintf("has %U, which stands for no character", r)
		}
	}
	return ""
}

// printable reports whether 8 bytes are all ASCII and none is a control character, looking at them as one number.
func printable(s string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	low := w - 0x20*ones // borrows from its neighbour only where a byte is below 0x20, which fails anyway
	del := w ^ 0x7f*ones
	return (w|low|(del-ones)&^del)&highs == 0
}
