package bridge_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudevents/sdk-go/v2/event"
	"pgregory.net/rapid"
)

const sampleID = "0198c0de-0000-7000-8000-00000000002a"

func parseID(t testing.TB, s string) bus.ID {
	t.Helper()
	id, err := bus.ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func sample(t testing.TB) bus.Event[bus.Raw] {
	return bus.Event[bus.Raw]{
		Header: bus.Header{
			ID:            parseID(t, sampleID),
			Type:          "vm.state.running",
			Schema:        1,
			Source:        "cloudbus/eu1",
			Kind:          "vm",
			ResourceID:    "42",
			Time:          time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC),
			Seq:           66,
			Tenant:        "acme",
			Actor:         "user:42",
			Version:       7,
			CorrelationID: "req-1",
			CausationID:   "0198c0de-0000-7000-8000-000000000001",
			TraceParent:   "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		},
		Payload: bus.Raw(`{"to":"running","resource":{"id":"42","cpus":2}}`),
	}
}

func TestEncodeGivesACloudEvent(t *testing.T) {
	encoded, err := bridge.Encode(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	var ce event.Event
	if err := ce.UnmarshalJSON(encoded); err != nil {
		t.Fatal(err)
	}
	if err := ce.Validate(); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": sampleID, "source": "cloudbus/eu1", "type": "vm.state.running", "subject": "vm/42", "time": "2026-03-04T05:06:07.000000089Z",
		"datacontenttype": "application/json", "specversion": "1.0",
		"sequence": "00000000000000000066", "tenant": "acme", "actor": "user:42", "resourceversion": "7", "schemaversion": "1",
		"correlationid": "req-1", "causationid": "0198c0de-0000-7000-8000-000000000001", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"data": map[string]any{"to": "running", "resource": map[string]any{"id": "42", "cpus": 2.0}},
	}
	var got map[string]any
	if err := json.Unmarshal(encoded, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestEncodeLeavesOutWhatTheEventHasNot(t *testing.T) {
	encoded, err := bridge.Encode(bus.Event[bus.Raw]{Header: bus.Header{ID: parseID(t, sampleID), Type: "vm.created", Source: "cloudbus/eu1"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"specversion":"1.0","id":"` + sampleID + `","source":"cloudbus/eu1","type":"vm.created"}`
	if string(encoded) != want {
		t.Errorf("got  %s\nwant %s", encoded, want)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil     func(*bus.Event[bus.Raw])
		attribute string
	}{
		"no id":             {func(e *bus.Event[bus.Raw]) { e.ID = bus.ID{} }, "id"},
		"no type":           {func(e *bus.Event[bus.Raw]) { e.Type = "" }, "type"},
		"no source":         {func(e *bus.Event[bus.Raw]) { e.Source = "" }, "source"},
		"source with space": {func(e *bus.Event[bus.Raw]) { e.Source = "cloud bus" }, "source"},
		"source no URI":     {func(e *bus.Event[bus.Raw]) { e.Source = "%zz" }, "source"},
		"kind with slash":   {func(e *bus.Event[bus.Raw]) { e.Kind = "a/b" }, "subject"},
		"year 10000":        {func(e *bus.Event[bus.Raw]) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "time"},
		"bad UTF-8":         {func(e *bus.Event[bus.Raw]) { e.Tenant = "\xff" }, "tenant"},
		"control character": {func(e *bus.Event[bus.Raw]) { e.Actor = "a\nb" }, "actor"},
		"non-character":     {func(e *bus.Event[bus.Raw]) { e.ResourceID = "\ufffe" }, "subject"},
		"negative schema":   {func(e *bus.Event[bus.Raw]) { e.Schema = -1 }, "schemaversion"},
		"data no JSON":      {func(e *bus.Event[bus.Raw]) { e.Payload = bus.Raw("{") }, "data"},
	} {
		t.Run(name, func(t *testing.T) {
			e := sample(t)
			c.spoil(&e)
			encoded, err := bridge.Encode(e)
			var refused *bridge.EncodeError
			if !errors.As(err, &refused) || refused.Attribute != c.attribute {
				t.Errorf("got %s, %v, want an EncodeError of %s", encoded, err, c.attribute)
			}
		})
	}
}

func events() *rapid.Generator[bus.Event[bus.Raw]] {
	text := rapid.StringMatching(`[ -~äöß€😀]{0,10}`)
	return rapid.Custom(func(t *rapid.T) bus.Event[bus.Raw] {
		var id bus.ID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		id[0] |= 1
		e := bus.Event[bus.Raw]{Header: bus.Header{
			ID:            id,
			Type:          rapid.StringMatching(`[a-z]{1,5}(\.[a-z_]{1,5}){0,3}`).Draw(t, "type"),
			Schema:        rapid.IntRange(0, math.MaxInt).Draw(t, "schema"),
			Source:        rapid.StringMatching(`cloudbus/[a-zA-Z0-9.-]{1,8}`).Draw(t, "source"),
			Kind:          rapid.StringMatching(`([a-z][a-z0-9_]{0,5})?`).Draw(t, "kind"),
			ResourceID:    text.Draw(t, "resource"),
			Seq:           rapid.Uint64().Draw(t, "seq"),
			Tenant:        text.Draw(t, "tenant"),
			Actor:         text.Draw(t, "actor"),
			Version:       rapid.Uint64().Draw(t, "version"),
			CorrelationID: text.Draw(t, "correlation"),
			CausationID:   text.Draw(t, "causation"),
			TraceParent:   text.Draw(t, "trace"),
		}}
		if rapid.Bool().Draw(t, "timed") {
			e.Time = time.Unix(rapid.Int64Range(-60_000_000_000, 200_000_000_000).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		}
		if value := rapid.SampledFrom([]any{nil, 1.5, "x\u2028<&>", true, map[string]any{"a": []any{1.0, "b"}}, struct{}{}}).Draw(t, "data"); value != struct{}{} {
			e.Payload, _ = json.Marshal(value)
		}
		return e
	})
}

func TestDecodeIsTheInverseOfEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := events().Draw(t, "event")
		encoded, err := bridge.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bridge.Decode(encoded)
		if err != nil {
			t.Fatalf("%v\n%s", err, encoded)
		}
		if !reflect.DeepEqual(got, e) {
			t.Fatalf("got  %+v\nwant %+v\n%s", got, e, encoded)
		}
		var ce event.Event
		if err := ce.UnmarshalJSON(encoded); err != nil {
			t.Fatalf("the SDK doesn't read it: %v\n%s", err, encoded)
		}
		if err := ce.Validate(); err != nil {
			t.Fatalf("the SDK refuses it: %v\n%s", err, encoded)
		}
		want, err := bridge.CloudEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		// The SDK reads no extensions as an empty map and as none.
		if len(want.Extensions()) == 0 {
			want.Context.(*event.EventContextV1).Extensions = nil
		}
		if !reflect.DeepEqual(ce.Context, want.Context) || !bytes.Equal(ce.Data(), want.Data()) {
			t.Fatalf("the SDK reads  %v\nCloudEvent gives %v", ce, want)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	e := sample(b)
	e.Payload = bus.Raw(`{"resource":"` + strings.Repeat("x", 400) + `"}`)
	ready, err := bridge.CloudEvent(e)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Encode", func(b *testing.B) {
		for b.Loop() {
			_, _ = bridge.Encode(e)
		}
	})
	b.Run("MarshalJSON of a ready event", func(b *testing.B) {
		for b.Loop() {
			_, _ = ready.MarshalJSON()
		}
	})
}

func ExampleEncode() {
	id, _ := bus.ParseID("0198c0de-0000-7000-8000-00000000002a")
	encoded, _ := bridge.Encode(bus.Event[bus.Raw]{
		Header: bus.Header{
			ID: id, Type: "vm.state.running", Source: "cloudbus/eu1", Kind: "vm", ResourceID: "42",
			Time: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Seq: 66, Tenant: "acme", Version: 7,
		},
		Payload: bus.Raw(`{"to":"running"}`),
	})
	fmt.Println(string(encoded))
	// Output:
	// {"specversion":"1.0","id":"0198c0de-0000-7000-8000-00000000002a","source":"cloudbus/eu1","type":"vm.state.running","subject":"vm/42","time":"2026-03-04T05:06:07Z","sequence":"00000000000000000066","tenant":"acme","resourceversion":"7","datacontenttype":"application/json","data":{"to":"running"}}
}

// TestNewMessageLooksAtTheData: what isn't from a journal may be anything.
func TestNewMessageLooksAtTheData(t *testing.T) {
	e := bus.Event[bus.Raw]{Payload: bus.Raw(`{"id":`), Header: bus.Header{ID: bus.NewID(time.Now()), Type: "vm.created", Source: "cloudbus/eu1", Kind: "vm", ResourceID: "42"}}
	for _, mode := range []bridge.Mode{bridge.Structured, bridge.Binary} {
		_, err := bridge.NewMessage(e, bridge.Options{Mode: mode})
		var wrong *bridge.EncodeError
		if !errors.As(err, &wrong) || wrong.Attribute != "data" {
			t.Errorf("%v: %v, want an EncodeError of the data", mode, err)
		}
	}
}
