package plugins

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Handle adds a route, such as "GET /v1/usage", in the syntax of net/http's ServeMux. It answers 503 until all plugins have started, and after this one has been closed or
// disabled. A request's context ends with the plugin. Errors: *PatternError, also for a route that is taken.
func (r *Runtime) Handle(pattern string, h http.Handler) error {
	if h == nil {
		return &PatternError{Plugin: r.g.name, Pattern: pattern, Reason: "handler is nil"}
	}
	err := protect(func() error {
		r.g.manager.mux.Handle(pattern, &route{r.g, pattern, h})
		return nil
	})
	if p, ok := errors.AsType[*PanicError](err); ok {
		reason, _, _ := strings.Cut(strings.ReplaceAll(fmt.Sprint(p.Value), "\n", " "), " (registered at")
		return &PatternError{Plugin: r.g.name, Pattern: pattern, Reason: strings.TrimPrefix(reason, "http: ")}
	}
	return err
}

// route is a plugin's handler behind a door that the manager opens and shuts.
type route struct {
	g       *guest
	pattern string
	handler http.Handler
}

func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g := rt.g
	if !g.isRunning() || !g.enter(rt.pattern) {
		RespondError(w, http.StatusServiceUnavailable, fmt.Errorf("plugin %s isn't running", g.name))
		return
	}
	defer g.leave(rt.pattern)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(g.life, cancel)()
	answer := &answer{ResponseWriter: w}
	err := protect(func() error { rt.handler.ServeHTTP(answer, r.WithContext(ctx)); return nil })
	if err != nil {
		rt.recovered(answer, err)
	}
}

// recovered answers for a handler that panicked. An answer that has begun can only be broken off, which net/http does for ErrAbortHandler.
func (rt *route) recovered(w *answer, err error) {
	if errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	rt.g.metrics.Add("panics", 1)
	p, _ := errors.AsType[*PanicError](err)
	rt.g.log.Error("HTTP handler panicked", "route", rt.pattern, "error", err, "stack", string(p.Stack))
	if w.begun {
		panic(http.ErrAbortHandler)
	}
	RespondError(w, http.StatusInternalServerError, fmt.Errorf("plugin %s failed to answer", rt.g.name))
}

func (g *guest) isRunning() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.phase == running
}

// answer is a ResponseWriter that knows whether something was written.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) WriteHeader(status int) {
	a.begun = true
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(p)
}

func (a *answer) Flush() {
	a.begun = true
	_ = http.NewResponseController(a.ResponseWriter).Flush() // what can't be flushed isn't
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
