package eventlog_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

func TestTextsAreTheValuesOfTheData(t *testing.T) {
	for data, want := range map[string][]string{
		`{"a":"one","b":{"c":"two","d":[3,"four",-1.5e3]}}`:        {"one", "two", "3", "four", "-1.5e3"},
		`{"t":true,"f":false,"n":null,"e":""}`:                     {""},
		`{"at":"2026-05-01T12:00:00Z","to":"2026-05-01"}`:          {"2026-05-01"},
		`{"at":"2026-05-01T12:00:00.123456789+02:00","why":"not"}`: {"not"},
		`{"quoted \"key\"":"a \"b\" \\ \u00e9"}`:                   {`a "b" \ é`},
		`{ "spaced" : "out" , "n" : 1 }`:                           {"out", "1"},
		`"alone"`:                                                  {"alone"},
		`{"a":"http://x/{y}","b":"[1,2]"}`:                         {"http://x/{y}", "[1,2]"},
		``:                                                         nil,
	} {
		if got := slices.Collect(eventlog.Texts([]byte(data))); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"Web-1 at 10.0.0.7, user:42.":  {"web-1", "at", "10.0.0.7", "user:42"},
		"vm/web-1 failed: timeout":     {"vm", "web-1", "failed", "timeout"},
		"fe80::1 a@b.c a_b -x- ...":    {"fe80::1", "a@b.c", "a_b", "x"},
		"Ärger in Übersee, 東京":         {"ärger", "in", "übersee", "東京"},
		"  ":                           nil,
		"a\xffb":                       {"a", "b"},
		"01900000-0000-7000-8000-1234": {"01900000-0000-7000-8000-1234"},
	} {
		if got := slices.Collect(eventlog.Words(text)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzTexts compares the scanner with encoding/json.
func FuzzTexts(f *testing.F) {
	for _, data := range []string{`{"a":"one","b":[1,{"c":"x\"y"}],"t":true}`, `"x"`, `[]`, `{"a\\":"\u00e9"}`, `{"":""}`, "[1e5,-0.1]"} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data string) {
		got := slices.Collect(eventlog.Texts([]byte(data))) // must not panic, whatever it's given
		if !json.Valid([]byte(data)) || !utf8.ValidString(data) {
			return
		}
		d := json.NewDecoder(strings.NewReader(data))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			return
		}
		want := valuesOf(v)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) && !strings.Contains(data, `":`) { // of keys that come twice encoding/json keeps one
			t.Errorf("%s: %q, want %q", data, got, want)
		}
		for _, text := range want {
			if !slices.Contains(got, text) {
				t.Errorf("%s: %q has no %q", data, got, text)
			}
		}
	})
}

func valuesOf(v any) (all []string) {
	switch v := v.(type) {
	case string:
		if _, err := time.Parse(time.RFC3339Nano, v); err != nil || len(v) < 20 || v[10] != 'T' {
			all = append(all, v)
		}
	case json.Number:
		all = append(all, v.String())
	case []any:
		for _, item := range v {
			all = append(all, valuesOf(item)...)
		}
	case map[string]any:
		for _, item := range v {
			all = append(all, valuesOf(item)...)
		}
	}
	return all
}
