package bridge_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"pgregory.net/rapid"
)

func TestDecodeBinaryIsTheInverseOfEncodeBinary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := events().Draw(t, "event")
		contentType, attributes, data, err := bridge.EncodeBinary(e)
		if err != nil {
			t.Fatal(err)
		}
		for name, decode := range map[string]func(string, []bridge.Attribute, []byte) (bus.Event[bus.Raw], error){
			"DecodeBinary": bridge.DecodeBinary, "DecodeMessage": bridge.DecodeMessage,
		} {
			got, err := decode(contentType, attributes, data)
			if err != nil || !reflect.DeepEqual(got, e) {
				t.Fatalf("%s: got  %+v, %v\nwant %+v\n%v %s", name, got, err, e, attributes, data)
			}
		}
		structured, err := bridge.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := bridge.DecodeMessage(bridge.ContentType, nil, structured); err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("DecodeMessage of a structured one: got  %+v, %v\nwant %+v", got, err, e)
		}
		checkSameAttributes(t, structured, attributes)
	})
}

// checkSameAttributes compares what both modes say.
func checkSameAttributes(t *rapid.T, structured []byte, attributes []bridge.Attribute) {
	members := map[string]any{}
	if err := json.Unmarshal(structured, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "data")
	delete(members, "datacontenttype")
	for _, a := range attributes {
		if members[a.Name] != a.Value {
			t.Fatalf("attribute %s is %q in binary mode, %q in structured", a.Name, a.Value, members[a.Name])
		}
		delete(members, a.Name)
	}
	if len(members) > 0 {
		t.Fatalf("binary mode lacks %v", members)
	}
}

func TestDecodeBinaryRefuses(t *testing.T) {
	with := func(name, value string) []bridge.Attribute {
		all := []bridge.Attribute{{"specversion", "1.0"}, {"id", sampleID}, {"source", "/x"}, {"type", "vm.created"}}
		if i := slices.IndexFunc(all, func(a bridge.Attribute) bool { return a.Name == name }); i >= 0 {
			all[i].Value = value
			return all
		}
		return append(all, bridge.Attribute{Name: name, Value: value})
	}
	const media = "application/json"
	for name, c := range map[string]struct {
		contentType string
		attributes  []bridge.Attribute
		data        string
		attribute   string
	}{
		"nothing":               {media, nil, "{}", "specversion"},
		"other version":         {media, with("specversion", "0.3"), "{}", "specversion"},
		"no id":                 {media, with("id", ""), "{}", "id"},
		"id no UUID":            {media, with("id", "42"), "{}", "id"},
		"source no URI":         {media, with("source", "%zz"), "{}", "source"},
		"type bad UTF-8":        {media, with("type", "\xff"), "{}", "type"},
		"unknown, bad UTF-8":    {media, with("other", "\xff"), "{}", "other"},
		"unknown, control":      {media, with("other", "a\nb"), "{}", "other"},
		"twice":                 {media, append(with("tenant", "a"), bridge.Attribute{Name: "tenant", Value: "a"}), "{}", "tenant"},
		"unknown twice":         {media, append(with("other", "a"), bridge.Attribute{Name: "other", Value: "a"}), "{}", "other"},
		"upper case":            {media, with("Tenant", "a"), "{}", `"Tenant"`},
		"no name":               {media, with("", "a"), "{}", `""`},
		"data as an attribute":  {media, with("data", "{}"), "{}", "data"},
		"content type as one":   {media, with("datacontenttype", media), "{}", "datacontenttype"},
		"dataschema relative":   {media, with("dataschema", "/v1"), "{}", "dataschema"},
		"time":                  {media, with("time", "now"), "{}", "time"},
		"sequence":              {media, with("sequence", "1"), "{}", "sequence"},
		"version":               {media, with("resourceversion", "0"), "{}", "resourceversion"},
		"subject empty":         {media, with("subject", ""), "{}", "subject"},
		"data no JSON":          {media, with("tenant", "a"), "{", "data"},
		"data of another type":  {"text/plain", with("tenant", "a"), "{}", "datacontenttype"},
		"data of no type":       {"", with("tenant", "a"), "{}", "datacontenttype"},
		"content type unclosed": {`application/json; a="`, with("tenant", "a"), "{}", "datacontenttype"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := bridge.DecodeBinary(c.contentType, c.attributes, []byte(c.data))
			var refused *bridge.DecodeError
			if !errors.As(err, &refused) || refused.Attribute != c.attribute {
				t.Errorf("got %+v, %v, want a DecodeError of %q", e, err, c.attribute)
			}
		})
	}
}

func TestDecodeMessageTakesOneEventAsJSON(t *testing.T) {
	structured, err := bridge.Encode(sample(t))
	must(t, err)
	for _, contentType := range []string{"application/cloudevents+json", "Application/CloudEvents+JSON; charset=UTF-8"} {
		if _, err := bridge.DecodeMessage(contentType, []bridge.Attribute{{Name: "id", Value: "what the body says counts"}}, structured); err != nil {
			t.Errorf("%s: %v", contentType, err)
		}
	}
	for _, contentType := range []string{"application/cloudevents", "application/cloudevents+avro", "application/cloudevents-batch+json", "a b", "text/plain", ""} {
		var refused *bridge.DecodeError
		if _, err := bridge.DecodeMessage(contentType, nil, structured); !errors.As(err, &refused) {
			t.Errorf("%s: %v, want a DecodeError", contentType, err)
		}
	}
}

func TestBinaryModeAndDataSchemaAreOptions(t *testing.T) {
	const schemas = "https://cloud.example.com/v1/schemas/"
	for _, mode := range []bridge.Mode{bridge.Structured, bridge.Binary} {
		t.Run(mode.String(), func(t *testing.T) {
			sink := &fakeSink{}
			h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{Mode: mode, Schemas: schemas})
			h.record(fact{Tenant: "acme", ID: "1", What: "created"})
			eventually(t, sink.has(1))
			m := sink.messages()[0]
			if got := m.Attributes != nil; got != (mode == bridge.Binary) {
				t.Errorf("attributes %v", m.Attributes)
			}
			if dataSchema(t, m) != schemas+"thing.created?schema=1" {
				t.Errorf("dataschema is %q", dataSchema(t, m))
			}
			e, err := bridge.DecodeMessage(m.ContentType, m.Attributes, m.Data)
			must(t, err)
			records, err := h.store.Journal().Read(t.Context(), 0, 1)
			must(t, err)
			if e.Header != records[0].Header || !bytes.Equal(e.Payload, records[0].Data) {
				t.Errorf("sent %+v %s\nrecorded %+v", e.Header, e.Payload, records[0])
			}
		})
	}
}

// dataSchema reads the attribute of a message in either mode.
func dataSchema(t *testing.T, m bridge.Message) string {
	for _, a := range m.Attributes {
		if a.Name == "dataschema" {
			return a.Value
		}
	}
	var structured struct {
		DataSchema string `json:"dataschema"`
	}
	must(t, json.Unmarshal(m.Data, &structured))
	return structured.DataSchema
}

func TestModeAsText(t *testing.T) {
	for _, mode := range []bridge.Mode{bridge.Structured, bridge.Binary} {
		text, err := mode.MarshalText()
		must(t, err)
		var back bridge.Mode
		must(t, back.UnmarshalText(text))
		if back != mode || string(text) != mode.String() {
			t.Errorf("%v is written as %s and read as %v", mode, text, back)
		}
	}
	var wrong *bridge.OptionError
	mode := bridge.Mode(7)
	if _, err := mode.MarshalText(); !errors.As(err, &wrong) || mode.String() != "Mode(7)" {
		t.Errorf("%s as text: %v", mode, err)
	}
	if err := mode.UnmarshalText([]byte("yaml")); !errors.As(err, &wrong) {
		t.Errorf("yaml as a mode: %v", err)
	}
}

// FuzzDecodeBinary reads headers from lines "name: value".
func FuzzDecodeBinary(f *testing.F) {
	contentType, attributes, data, err := bridge.EncodeBinary(sample(f))
	if err != nil {
		f.Fatal(err)
	}
	var headers strings.Builder
	for _, a := range attributes {
		fmt.Fprintf(&headers, "%s: %s\n", a.Name, a.Value)
	}
	f.Add(contentType, headers.String(), data)
	f.Add("", "specversion: 1.0\nid: "+sampleID+"\nsource: /x\ntype: a\n", []byte{})
	f.Add("application/json; charset=utf-8", "specversion: 1.0\nid: "+sampleID+"\nsource: /x\ntype: a\nsubject: /x\nother: \x01\n", []byte(" [1] "))
	f.Add(bridge.ContentType, "", []byte(`{"specversion":"1.0","id":"`+sampleID+`","source":"/x","type":"a"}`))
	f.Fuzz(func(t *testing.T, contentType, headers string, data []byte) {
		var attributes []bridge.Attribute
		for line := range strings.Lines(headers) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			attributes = append(attributes, bridge.Attribute{Name: name, Value: value})
		}
		e, err := bridge.DecodeMessage(contentType, attributes, data)
		if err != nil {
			var refused *bridge.DecodeError
			if !errors.As(err, &refused) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		media, again, payload, err := bridge.EncodeBinary(e)
		if err != nil {
			t.Fatalf("decoded, but can't be encoded: %v", err)
		}
		back, err := bridge.DecodeBinary(media, again, payload)
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("%+v came back as %+v, %v", e, back, err)
		}
	})
}
