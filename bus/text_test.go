package bus_test

import (
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
)

func TestTextFault(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"web-1 of acme":                   "",
		"größe 計算 🙂, longer than eight":   "",
		"tab\there":                       "has a control character",
		"plain for a while, then \x7f":    "has a control character",
		"C1 \u0085":                       "has a control character",
		"plain for a while, then \xff":    "is not valid UTF-8",
		"cut off in the middle \xf0\x9f":  "is not valid UTF-8",
		"a \ufdd0":                        "has U+FDD0, which stands for no character",
		"\U0001ffff":                      "has U+1FFFF, which stands for no character",
		strings.Repeat("long ", 1000):     "",
		strings.Repeat("x", 64) + "\x1f.": "has a control character",
	} {
		if got := bus.TextFault(text); got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
}
