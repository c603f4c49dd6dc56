package show

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Plain returns a text as it can stand in a line on a terminal: what isn't printable is written as in Go, \n \x1b.
func Plain(s string) string {
	clean := true
	for i, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if strconv.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			b.WriteString(s[:size])
		} else {
			quoted := strconv.Quote(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}

// PlainLine is Plain for a line that may have tabs.
func PlainLine(s string) string {
	parts := strings.Split(s, "\t")
	for i := range parts {
		parts[i] = Plain(parts[i])
	}
	return strings.Join(parts, "\t")
}

// PlainJSON returns the same JSON value with what isn't printable in it escaped; what isn't UTF-8 becomes U+FFFD, as it does for whoever decodes it.
func PlainJSON(value json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	for len(value) > 0 {
		r, size := utf8.DecodeRune(value)
		switch {
		case r < utf8.RuneSelf && r != 0x7f, r != utf8.RuneError && strconv.IsPrint(r):
			b.Write(value[:size])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		value = value[size:]
	}
	return b.Bytes()
}
