package bridge_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// FuzzValidJSON compares with json.Valid.
func FuzzValidJSON(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, ` { "a" : [ 1 , -0.5e+10 , true , false , null , "x\u00e9\n\"" ] } `, `{"a":{"b":[[],{}]}}`, `"ä"`, "\"\xff\"", `0`, `-0`, `01`, `1.`, `.5`, `1e`, `1e+`, `-`, `+1`, `1E5`,
		``, ` `, `{`, `[`, `]`, `{]`, `[1,]`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `[1 2]`, `"`, `"\`, `"\u12"`, `"\u12g4"`, `"\x"`, "\"\n\"", `tru`, `nulll`, `true false`, `{}x`,
		"\x00", "[\x00]", "{}\x00", "{\"a\"\x00:1}",
		strings.Repeat("[", 200) + strings.Repeat("]", 200), strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999), strings.Repeat(`{"a":`, 10_001), strings.Repeat("[", 200),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := bridge.ValidJSON(data), json.Valid(data); got != want {
			t.Errorf("%.200q: %v, encoding/json says %v", data, got, want)
		}
	})
}
