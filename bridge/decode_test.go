package bridge_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
)

func TestDecodeTakesCloudEventsOfOthers(t *testing.T) {
	const head = `{"specversion":"1.0","id":"` + sampleID + `","source":"/x","type":"vm.created"`
	for name, c := range map[string]struct{ event, data string }{
		"spaces":            {head + ` , "data" : { "a" : 1 } } `, `{ "a" : 1 }`},
		"unknown extension": {head + `,"partitionkey":"a","retries":3,"data":1}`, `1`},
		"null is absent":    {head + `,"tenant":null,"subject":null,"data":1}`, `1`},
		"base64":            {head + `,"datacontenttype":"application/json","data_base64":"eyJhIjoxfQ=="}`, `{"a":1}`},
		"charset":           {head + `,"datacontenttype":"application/json; charset=utf-8","data":{}}`, `{}`},
		"other zone":        {head + `,"time":"2026-01-01T01:00:00+01:00","data":{}}`, `{}`},
		"no data":           {head + `}`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := bridge.Decode([]byte(c.event))
			if err != nil {
				t.Fatal(err)
			}
			if string(e.Payload) != c.data || e.Type != "vm.created" || e.ID.String() != sampleID || e.Time.Location() != time.UTC {
				t.Errorf("got %+v, data %s", e.Header, e.Payload)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	valid := map[string]string{"specversion": `"1.0"`, "id": `"` + sampleID + `"`, "source": `"/x"`, "type": `"vm.created"`, "data": `{}`}
	with := func(name, value string) string {
		var b strings.Builder
		b.WriteString("{")
		members := map[string]string{name: value}
		for n, v := range valid {
			if n != name {
				members[n] = v
			}
		}
		for n, v := range members {
			if v == "" {
				continue
			}
			if b.Len() > 1 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, "%q:%s", n, v)
		}
		return b.String() + "}"
	}
	for name, c := range map[string]struct{ event, attribute string }{
		"empty":               {"", ""},
		"array":               {"[]", ""},
		"cut off":             {`{"id":`, "id"},
		"not closed":          {`{"id":"x"`, ""},
		"trailing":            {with("data", "1") + "{}", ""},
		"bad UTF-8":           {with("tenant", "\"\xff\""), ""},
		"given twice":         {`{"id":"a","id":"b"}`, "id"},
		"empty name":          {with("", `1`), `""`},
		"upper case name":     {with("Tenant", `"a"`), `"Tenant"`},
		"object attribute":    {with("tenant", `{}`), "tenant"},
		"number for text":     {with("tenant", `1`), "tenant"},
		"no specversion":      {with("specversion", ""), "specversion"},
		"specversion 0.3":     {with("specversion", `"0.3"`), "specversion"},
		"no id":               {with("id", ""), "id"},
		"id no UUID":          {with("id", `"42"`), "id"},
		"id zero":             {with("id", `"00000000-0000-0000-0000-000000000000"`), "id"},
		"no source":           {with("source", ""), "source"},
		"source null":         {with("source", "null"), "source"},
		"source no URI":       {with("source", `"%zz"`), "source"},
		"no type":             {with("type", ""), "type"},
		"type control":        {with("type", `"a\u0007"`), "type"},
		"subject empty":       {with("subject", `""`), "subject"},
		"subject without id":  {with("subject", `"vm/"`), "subject"},
		"time":                {with("time", `"yesterday"`), "time"},
		"time out of range":   {with("time", `"0000-01-01T00:00:00+01:00"`), "time"},
		"sequence short":      {with("sequence", `"66"`), "sequence"},
		"sequence zero":       {with("sequence", `"00000000000000000000"`), "sequence"},
		"sequence sign":       {with("sequence", `"+0000000000000000066"`), "sequence"},
		"sequence too large":  {with("sequence", `"99999999999999999999"`), "sequence"},
		"version":             {with("resourceversion", `"-1"`), "resourceversion"},
		"version zero":        {with("resourceversion", `"0"`), "resourceversion"},
		"schema":              {with("schemaversion", `"x"`), "schemaversion"},
		"content type":        {with("datacontenttype", `"text/plain"`), "datacontenttype"},
		"content type broken": {with("datacontenttype", `"application/json; ="`), "datacontenttype"},
		"both data":           {with("data_base64", `"e30="`), "data_base64"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := bridge.Decode([]byte(c.event))
			var refused *bridge.DecodeError
			if !errors.As(err, &refused) || refused.Attribute != c.attribute {
				t.Errorf("Decode(%s) = %+v, %v, want a DecodeError of %q", c.event, e, err, c.attribute)
			}
		})
	}
	for name, value := range map[string]string{"number": "1", "no base64": `"*"`, "no JSON": `"eA=="`} {
		t.Run("base64 "+name, func(t *testing.T) {
			event := strings.Replace(with("data", "1"), `"data":1`, `"data_base64":`+value, 1)
			var refused *bridge.DecodeError
			if _, err := bridge.Decode([]byte(event)); !errors.As(err, &refused) || refused.Attribute != "data_base64" {
				t.Errorf("Decode(%s): %v", event, err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	encoded, err := bridge.Encode(sample(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded)
	f.Add([]byte(`{"specversion":"1.0","id":"` + sampleID + `","source":"/x","type":"a","data_base64":1}`))
	f.Add([]byte(`{"specversion":"1.0","id":"` + sampleID + `","source":"/x","type":"a","subject":"/x","time":"2026-01-01T00:00:00Z","data":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := bridge.Decode(b)
		if err != nil {
			var refused *bridge.DecodeError
			if !errors.As(err, &refused) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		again, err := bridge.Encode(e)
		if err != nil {
			t.Fatalf("decoded, but can't be encoded: %v\n%s", err, b)
		}
		back, err := bridge.Decode(again)
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("%+v came back as %+v, %v", e, back, err)
		}
	})
}
