package plugins_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/plugins"
)

func get(t *testing.T, h http.Handler, path string) (status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestHandle(t *testing.T) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	mux := http.NewServeMux()
	mux.Handle("GET /taken", hello)
	var errs []error
	a := &guest{name: "a", init: func(_ context.Context, rt *plugins.Runtime) error {
		for pattern, h := range map[string]http.Handler{"GET /taken": hello, "GET /{": hello, "": hello, "GET /nil": nil} {
			errs = append(errs, rt.Handle(pattern, h))
		}
		return errors.Join(rt.Handle("GET /hello", hello), rt.Handle("GET /panic", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })))
	}}
	m := manager(t, plugins.Options{Mux: mux}, a, &guest{name: "b", init: func(context.Context, *plugins.Runtime) error {
		if status, body := get(t, mux, "/hello"); status != 503 || body != `{"error":"plugin a isn't running"}` {
			t.Errorf("before all have started: %d %s", status, body)
		}
		return nil
	}})
	start(t, m)
	for _, err := range errs {
		if e, ok := errors.AsType[*plugins.PatternError](err); !ok || e.Plugin != "a" || e.Reason == "" {
			t.Errorf("pattern: %v", err)
		}
	}
	for _, c := range []struct {
		path   string
		status int
		body   string
	}{
		{"/hello", 200, "hello"},
		{"/taken", 200, "hello"},
		{"/panic", 500, `{"error":"plugin a failed to answer"}`},
		{"/hello", 200, "hello"}, // a panic disables nothing
	} {
		if status, body := get(t, m.Handler(), c.path); status != c.status || body != c.body {
			t.Errorf("%s: %d %s", c.path, status, body)
		}
	}
	if got := m.Metrics().String(); !strings.Contains(got, `"panics": 1`) {
		t.Errorf("metrics %s", got)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, mux, "/hello"); status != 503 {
		t.Errorf("after Close: %d", status)
	}
}

func TestPanicAfterTheAnswerHasBegunBreaksItOff(t *testing.T) {
	m := manager(t, plugins.Options{}, &guest{name: "a", init: func(_ context.Context, rt *plugins.Runtime) error {
		return rt.Handle("GET /half", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic("boom")
		}))
	}})
	start(t, m)
	srv := httptest.NewServer(m.Handler())
	defer srv.Close()
	answer, err := srv.Client().Get(srv.URL + "/half")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("the answer %q looks complete", body)
	}
	srv.CloseClientConnections()
}

func TestRequestsEndWithThePlugin(t *testing.T) {
	begun := make(chan struct{})
	ended := make(chan error, 1)
	m := manager(t, plugins.Options{}, &guest{name: "a", init: func(_ context.Context, rt *plugins.Runtime) error {
		return rt.Handle("GET /stream", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
			ended <- r.Context().Err()
		}))
	}})
	start(t, m)
	answered := make(chan struct{})
	go func() { defer close(answered); get(t, m.Handler(), "/stream") }()
	<-begun
	if err := m.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the request ended with %v", err)
	}
	<-answered
}

func TestParams(t *testing.T) {
	for _, c := range []struct{ query, wrong string }{
		{"a=1&b=2", ""},
		{"", ""},
		{"c=1", `unknown parameter "c" (allowed: a, b)`},
		{"a=1&a=2", `parameter "a" is given 2 times`},
		{"a=%zz", "malformed query"},
	} {
		_, err := plugins.Params(httptest.NewRequest("GET", "/?"+c.query, nil), "a", "b")
		if err == nil && c.wrong != "" || err != nil && (c.wrong == "" || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s: %v", c.query, err)
		}
	}
}
