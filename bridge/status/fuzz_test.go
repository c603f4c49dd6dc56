package status_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bus"
)

func FuzzDecode(f *testing.F) {
	l, err := status.Encode(sampleStamp, sample)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(l.Data, "Content-Type", bridge.ContentType, "ce-id", "1")
	f.Add([]byte(`{"id":"42","status":"RUNNING","message":"\ud800\u0000","timestamp":1e999999999}`), "ce-rawstatus", "l%C3%A4uft%00", "ce-time", "2026-01-02T03:04:05.5Z")
	f.Add([]byte(`{"id":"42","status":"Running"}`), "ce-sequence", "18446744073709551615", "content-type", "application/json")
	f.Add([]byte(`{"id":"42","status":"RUNNING"}`), "ce-type", "dcm.status.vm", "ce-specversion", "1.0")
	f.Add(plainEvent(map[string]string{"data": "", "data_base64": "1"}), "", "", "", "")
	f.Add(plainEvent(map[string]string{"time": `""`, "sequence": "1e9"}), "ce-source", "%zz%C3", "CE-ID", "")
	f.Add([]byte(`{"data":{"a":[1,{"b":"}\""}]},"specversion":"1.0"}`), "ce-specversion", "1.0", "content-type", "text/plain")
	f.Fuzz(func(t *testing.T, body []byte, name1, value1, name2, value2 string) {
		before := bytes.Clone(body)
		header := map[string][]string{name1: {value1}, name2: {value2}}
		if strings.HasPrefix(name1, "ce-") { // binary mode has to have more attributes than can be guessed
			maps.Copy(header, map[string][]string{"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-source": {"dcm/providers/kube"}, "ce-type": {"dcm.status.vm"}})
		}
		r, err := status.Decode(bridge.Letter{Header: header, Data: body, Subject: "dcm.vm"})
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
		for name, text := range map[string]string{"id": r.ID, "source": r.Source, "provider": r.Provider, "resource": r.ResourceID, "raw": r.Raw, "message": r.Message} {
			if fault := bus.TextFault(text); fault != "" || text == "" && name != "message" || len(text) > 4<<10 {
				t.Fatalf("%s %q %s", name, text, fault)
			}
		}
		if !r.Time.IsZero() && (r.Time.Year() < 1970 || r.Time.Year() > 2261) {
			t.Fatalf("observed at %v", r.Time)
		}
	})
}
