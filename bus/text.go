package bus

import (
	"encoding/binary"
	"fmt"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// TextFault says what keeps s from being a header field, or "" if nothing does, its length aside: header fields are valid UTF-8 without
// control characters and without code points that stand for no character, because CloudEvents attributes are
// (CloudEvents 1.0.2, section 3.1). Whoever takes texts that end up in headers asks here, so that all refuse the same.
func TextFault(s string) string {
	if plainText(s) { // most texts are over here: events are checked on their way
		return ""
	}
	return runeFault(s)
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

// plainText reports whether s is ASCII without control characters. It looks at 8 bytes at a time as one number, at the last ones a second time.
func plainText(s string) bool {
	if len(s) < 8 {
		for i := range len(s) {
			if c := s[i]; c < 0x20 || c >= 0x7f {
				return false
			}
		}
		return true
	}
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // only read
	faults := faultsOf(binary.LittleEndian.Uint64(b[len(b)-8:]))
	for len(b) > 8 {
		faults |= faultsOf(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	return faults == 0
}

// faultsOf sets the highest bit of some byte if one of w's 8 isn't ASCII or is a control character.
func faultsOf(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	low := w - 0x20*ones // borrows from its neighbour only where a byte is below 0x20, which fails anyway
	del := w ^ 0x7f*ones
	return (w | low | (del-ones)&^del) & highs
}
