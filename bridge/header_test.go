package bridge_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"pgregory.net/rapid"
)

// vectors are values of headers: Written is how we write a value (a control character too, which nothing of ours lets get so far), Read what we read as one.
type vectors struct {
	Values, Written, Refused []struct{ Name, Value, Written, Read string }
}

func headerVectors(t *testing.T) (v vectors) {
	t.Helper()
	b, err := os.ReadFile("testdata/headers.json")
	must(t, err)
	must(t, json.Unmarshal(b, &v))
	return v
}

func TestHeaderVectors(t *testing.T) {
	all := headerVectors(t)
	for _, v := range all.Values {
		t.Run(v.Name, func(t *testing.T) {
			want := []bridge.Attribute{{"x", v.Value}}
			if v.Written != "" {
				checkWritten(t, v.Value, v.Written)
				v.Read = v.Written
			}
			for _, name := range []string{"ce-x", "Ce-X", "CE-x"} {
				if _, got, err := bridge.ReadHeader(map[string][]string{name: {v.Read}}); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %q is read %q, %v, want %q", name, v.Read, got, err, v.Value)
				}
			}
		})
	}
	for _, v := range all.Written {
		t.Run(v.Name, func(t *testing.T) { checkWritten(t, v.Value, v.Written) })
	}
	for _, v := range all.Refused {
		t.Run(v.Name, func(t *testing.T) {
			var refused *bridge.DecodeError
			if _, got, err := bridge.ReadHeader(map[string][]string{"ce-x": {v.Read}}); !errors.As(err, &refused) || refused.Attribute != "x" {
				t.Errorf("%q is read as %q, %v", v.Read, got, err)
			}
		})
	}
}

func checkWritten(t *testing.T, value, want string) {
	t.Helper()
	if got := bridge.WriteHeader("", []bridge.Attribute{{Name: "x", Value: value}})["ce-x"]; len(got) != 1 || got[0] != want {
		t.Errorf("%q is written %q, want %q", value, got, want)
	}
}

func TestReadHeaderFindsTheContentType(t *testing.T) {
	const structured = "Application/CloudEvents+JSON; charset=utf-8"
	for name, c := range map[string]struct {
		header map[string][]string
		want   string // "" for an error
	}{
		"of the binding":        {map[string][]string{"ce-datacontenttype": {"application/json"}}, "application/json"},
		"of the binding, odd":   {map[string][]string{"CE-DataContentType": {"application/json;%20charset=utf-8"}}, "application/json; charset=utf-8"},
		"of most tools":         {map[string][]string{"content-type": {"application/json; charset=utf-8"}}, "application/json; charset=utf-8"},
		"both":                  {map[string][]string{"Content-Type": {"application/json"}, "ce-datacontenttype": {"application/json"}}, "application/json"},
		"both, and they differ": {map[string][]string{"Content-Type": {"text/plain"}, "ce-datacontenttype": {"application/json"}}, ""},
		"structured":            {map[string][]string{"CONTENT-TYPE": {structured}, "ce-datacontenttype": {"application/json"}}, structured},
		"twice":                 {map[string][]string{"Content-Type": {"application/json"}, "content-type": {"application/json"}}, ""},
		"twice in one":          {map[string][]string{"Content-Type": {"application/json", "application/json"}}, ""},
		"attribute twice":       {map[string][]string{"ce-datacontenttype": {"a/b"}, "Ce-datacontenttype": {"a/b"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := bridge.ReadHeader(c.header)
			var refused *bridge.DecodeError
			switch {
			case c.want != "" && (err != nil || got != c.want):
				t.Errorf("%q, %v, want %q", got, err, c.want)
			case c.want == "" && (!errors.As(err, &refused) || refused.Attribute != "datacontenttype"):
				t.Errorf("%q, %v, want a DecodeError of datacontenttype", got, err)
			}
		})
	}
}

func TestReadHeaderRefusesNames(t *testing.T) {
	for name, header := range map[string]map[string][]string{
		"in two cases": {"ce-id": {"1"}, "Ce-Id": {"1"}},
		"two values":   {"ce-id": {"1", "1"}},
		"no value":     {"ce-id": nil},
		"no name":      {"ce-": {"1"}},
		"dash":         {"ce-my-own": {"1"}},
		"data":         {"ce-data": {"1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var refused *bridge.DecodeError
			if _, got, err := bridge.ReadHeader(header); !errors.As(err, &refused) {
				t.Errorf("%v, %v, want a DecodeError", got, err)
			}
		})
	}
}

func TestDecodeLetterReadsEveryForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := events().Draw(t, "event")
		structured, err := bridge.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		contentType, attributes, data, err := bridge.EncodeBinary(e)
		if err != nil {
			t.Fatal(err)
		}
		shouted := map[string][]string{}
		for name, value := range bridge.WriteHeader(contentType, attributes) {
			shouted[strings.ToUpper(name)] = value
		}
		for name, l := range map[string]bridge.Letter{
			"structured":      {Header: bridge.WriteHeader(bridge.ContentType, nil), Data: structured},
			"headerless":      {Data: structured},
			"headers of NATS": {Header: map[string][]string{"Nats-Msg-Id": {"1"}, "Content-Type": {"application/json"}}, Data: structured},
			"binary":          {Header: bridge.WriteHeader(contentType, attributes), Data: data},
			"binary, shouted": {Header: shouted, Data: data},
		} {
			if got, err := bridge.DecodeLetter(l); err != nil || !reflect.DeepEqual(got, e) {
				t.Fatalf("%s: got  %+v, %v\nwant %+v", name, got, err, e)
			}
		}
	})
}

func TestDecodeLetterRefusesBatches(t *testing.T) {
	header := map[string][]string{"Content-Type": {"application/cloudevents-batch+json"}}
	var refused *bridge.DecodeError
	if e, err := bridge.DecodeLetter(bridge.Letter{Header: header, Data: []byte("[]")}); !errors.As(err, &refused) {
		t.Errorf("%+v, %v, want a DecodeError", e, err)
	}
}

// lines makes a header of lines "name: value".
func lines(text string) map[string][]string {
	header := map[string][]string{}
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			header[name] = append(header[name], value)
		}
	}
	return header
}

func FuzzDecodeLetter(f *testing.F) {
	e := sample(f)
	encoded, err := bridge.Encode(e)
	must(f, err)
	contentType, attributes, data, err := bridge.EncodeBinary(e)
	must(f, err)
	var text strings.Builder
	for name, values := range bridge.WriteHeader(contentType, attributes) {
		text.WriteString(name + ": " + values[0] + "\n")
	}
	f.Add(text.String(), data)
	f.Add("Content-Type: "+bridge.ContentType, encoded)
	f.Add("", encoded)
	f.Add("ce-specversion: 1.0\nce-id: "+sampleID+"\nCe-Source: \"/x\"\nce-type: %61\nce-tenant: %E2%82%AC", []byte(nil))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		e, err := bridge.DecodeLetter(bridge.Letter{Header: lines(header), Data: body})
		if err != nil {
			var refused *bridge.DecodeError
			if !errors.As(err, &refused) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		contentType, attributes, data, err := bridge.EncodeBinary(e)
		if err != nil {
			t.Fatalf("decoded, but can't be encoded: %v\n%s\n\n%s", err, header, body)
		}
		back, err := bridge.DecodeLetter(bridge.Letter{Header: bridge.WriteHeader(contentType, attributes), Data: data})
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("%+v came back as %+v, %v", e, back, err)
		}
	})
}
