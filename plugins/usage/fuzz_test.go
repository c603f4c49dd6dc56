package usage_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins/usage"
)

// FuzzCorrection: what is taken means the same when it is written and read again, what isn't is the caller's fault.
func FuzzCorrection(f *testing.F) {
	for _, body := range []string{
		`{"key":"k","tenant":"acme","meter":"vm.running","at":"2026-05-01T12:00:30Z","seconds":-0.5,"reason":"r","actor":"a"}`,
		`{"key":"k","meter":"volume.allocated","size":{"gib":10},"from":"2026-05-01T00:00:00+02:00","to":"2026-05-02T00:00:00Z","seconds":93600,"opened_seq":7}`,
		`{"reverses":"01a2019b-4163-7000-8000-078a690da2e7"}`, `{"seconds":1e3}`, `{"seconds":-}`, `{"size":{"cpus":-1}}`, `{"key":"a","key":"b"}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := usage.ParseCorrection(body)
		if err != nil {
			if !errors.As(err, new(*usage.CorrectionError)) {
				t.Fatalf("%s: %T %v", body, err, err)
			}
			return
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back usage.Correction
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s → %s: %v", body, text, err)
		}
		for _, c := range []*usage.Correction{&c, &back} {
			for _, at := range []*time.Time{&c.At, &c.From, &c.To} {
				*at = at.UTC()
			}
		}
		if back != c {
			t.Fatalf("%s: %+v → %s → %+v", body, c, text, back)
		}
	})
}

// FuzzQuery: a report's address gives 200 or says what is wrong, never anything else.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{
		"", "from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z&bucket=day&tz=Europe/Berlin", "by=tenant,size&format=csv", "bucket=month&from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
		"tz=Local", "by=", "by=,", "kind=vm&meter=nic.reserved", "from=x", "%zz", "a=1;b=2", "tenant=%00", "tz=%00&bucket=day",
	} {
		f.Add(q)
	}
	h := open(f)
	f.Fuzz(func(t *testing.T, query string) {
		if _, err := url.ParseRequestURI("/v1/usage?" + query); err != nil {
			return
		}
		r := httptest.NewRequest("GET", "/v1/usage", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		h.manager.Handler().ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	})
}
