package natsbridge_test

import (
	"encoding/json"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
)

// What is read without encoding/json is what encoding/json reads.
func FuzzReceipt(f *testing.F) {
	if _, ok := natsbridge.PlainReceipt([]byte(`{"stream":"cloudbus", "seq":12345}`)); !ok {
		f.Fatal("the usual acknowledgement is left to encoding/json")
	}
	for _, s := range []string{
		`{"stream":"cloudbus", "seq":12345}`, `{"stream":"cloudbus","seq":1}`, `{"stream":"a\"b", "seq":1}`, `{"stream":"a", "seq":01}`, `{"stream":"a", "seq":0}`,
		`{"stream":"a", "seq":1,"duplicate": true}`, `{"stream":"", "seq":1}`, `{"stream":"a", "seq":99999999999999999999}`, `{"stream":"a", "seq":-1}`, `{"error":{"code":503}}`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ack, ok := natsbridge.PlainReceipt(data)
		if !ok {
			return
		}
		var want struct {
			Stream   string
			Sequence uint64 `json:"seq"`
		}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q is read as %+v, and isn't JSON: %v", data, ack, err)
		}
		if ack.Stream != want.Stream || ack.Sequence != want.Sequence || ack.Duplicate || ack.Domain != "" {
			t.Fatalf("%q: %+v, want %+v", data, ack, want)
		}
	})
}
