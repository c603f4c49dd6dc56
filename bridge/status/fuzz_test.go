package status_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
)

func FuzzDecode(f *testing.F) {
	l, err := status.Encode(sampleStamp, sample)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(l.Data, "Content-Type", bridge.ContentType, "ce-id", "1")
	f.Add([]byte(`{"id":"42","status":"RUNNING"}`), "ce-type", "dcm.status.vm", "ce-specversion", "1.0")
	f.Add(plainEvent(map[string]string{"data": "", "data_base64": "1"}), "", "", "", "")
	f.Add(plainEvent(map[string]string{"time": `""`, "sequence": "1e9"}), "ce-source", "%zz%C3", "CE-ID", "")
	f.Add([]byte(`{"data":{"a":[1,{"b":"}\""}]},"specversion":"1.0"}`), "ce-specversion", "1.0", "content-type", "text/plain")
	f.Fuzz(func(t *testing.T, body []byte, name1, value1, name2, value2 string) {
		before := bytes.Clone(body)
		r, err := status.Decode(bridge.Letter{Header: map[string][]string{name1: {value1}, name2: {value2}}, Data: body})
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			var rejected *status.RejectError
			if !errors.As(err, &rejected) || rejected.Reason == "" {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if r.ID == "" || r.Source == "" || r.ResourceID == "" || !slices.Contains(status.VM.Statuses, r.Status) && r.ServiceType == "vm" || !json.Valid(r.Data) {
			t.Fatalf("taken: %+v", r)
		}
	})
}
