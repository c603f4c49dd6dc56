package resources_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// Whatever an id is: it is refused with a reason, or it comes back from the store, from a URL's path and from an event's subject.
func FuzzID(f *testing.F) {
	for _, id := range []string{"vm-1", "größe", "..", "a/b", "a%2Fb", " ", "x\x00", "\xff", "a:b@c", "日本", "...", "~"} {
		f.Add(id)
	}
	r := newRig(f, resources.Options{})
	var fromPath string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/gadgets/{id}", func(_ http.ResponseWriter, req *http.Request) { fromPath = req.PathValue("id") })
	f.Fuzz(func(t *testing.T, id string) {
		_, err := r.gadgets.Create(ctx, storetest.Gadget{Object: resources.Object{ID: id}})
		var invalid *resources.InvalidError
		switch {
		case id == "" || errors.Is(err, resources.ErrExists):
			return
		case errors.As(err, &invalid):
			if invalid.Field != "ID" || invalid.Reason == "" {
				t.Fatalf("id %q: %v", id, err)
			}
			return
		case err != nil:
			t.Fatalf("id %q: %v", id, err)
		}
		if got := r.get(t, id); got.ID != id {
			t.Errorf("Get(%q) returned %q", id, got.ID)
		}
		fromPath = ""
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/gadgets/"+url.PathEscape(id), nil))
		if fromPath != id {
			t.Errorf("the path of %q says %q", id, fromPath)
		}
		subject := bus.Header{Kind: "gadget", ResourceID: id}.Subject()
		if kind, rest, _ := strings.Cut(subject, "/"); kind != "gadget" || rest != id || strings.Contains(rest, "/") {
			t.Errorf("the subject of %q is %q", id, subject)
		}
	})
}

// Whatever a filter's value is: it is refused with a reason, or something is listed; it never panics.
func FuzzQueryValue(f *testing.F) {
	for _, value := range []string{"1", "-1", "true", "2030-01-01T00:00:00Z", "0.5", "1e400", "NaN", "", "x'; --", "01a20061-c6bc-7000-8000-bc087dba8186"} {
		f.Add("size", value)
		f.Add("due", value)
		f.Add("ratio", value)
		f.Add("peer", value)
	}
	r := newRig(f, resources.Options{})
	r.create(f, storetest.Gadget{})
	f.Fuzz(func(t *testing.T, field, value string) {
		_, err := r.gadgets.List(ctx, resources.Query{Where: map[string]any{field: value}})
		var invalid *resources.InvalidError
		var unknown *resources.UnknownError
		if err != nil && !errors.As(err, &invalid) && !errors.As(err, &unknown) {
			t.Errorf("%s = %q: %v", field, value, err)
		}
	})
}
