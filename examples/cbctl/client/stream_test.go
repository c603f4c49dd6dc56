package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// newTestClient returns a client of a stub that waits for nothing between its tries.
func newTestClient(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	web := httptest.NewServer(handler)
	c, err := New(Options{Server: web.URL, Actor: "user:42"})
	if err != nil {
		t.Fatal(err)
	}
	c.pause = func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }
	t.Cleanup(func() { c.Close(); web.CloseClientConnections(); web.Close() })
	return c
}

func eventText(seq uint64) string {
	return fmt.Sprintf("id: %d\nevent: vm.created\ndata: {\"seq\":%d,\"type\":\"vm.created\",\"subject\":\"vm/web%d\"}\n\n", seq, seq, seq)
}

// connections is a stub of a server whose streams each go their own way.
type connections struct {
	t    *testing.T
	asks []string // Last-Event-ID and query of each
	each []func(w http.ResponseWriter, r *http.Request)
}

func (c *connections) serve(w http.ResponseWriter, r *http.Request) {
	n := len(c.asks)
	c.asks = append(c.asks, r.Header.Get("Last-Event-ID")+"?"+r.URL.RawQuery)
	if n >= len(c.each) {
		c.t.Errorf("%d connections, want %d", n+1, len(c.each))
		http.Error(w, "enough", http.StatusTeapot)
		return
	}
	c.each[n](w, r)
}

// streamOf is a connection that says some things and ends.
func streamOf(text ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprint(w, ": hello\n\n"+strings.Join(text, ""))
	}
}

func status(code int, text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Connection", "close") // net/http repeats by itself what fails on a connection that was used before
		w.WriteHeader(code)
		_, _ = fmt.Fprint(w, text)
	}
}

// follow reads until so many events came, or an error.
func follow(t *testing.T, c *Client, query url.Values, most int) (seqs []uint64, notes []Interruption, err error) {
	t.Helper()
	for e, err := range c.Follow(t.Context(), query, func(i Interruption) { notes = append(notes, i) }) {
		if err != nil {
			return seqs, notes, err
		}
		if seqs = append(seqs, e.Seq); len(seqs) == most {
			break
		}
	}
	return seqs, notes, nil
}

func TestAStreamGoesOnBehindTheLastEvent(t *testing.T) {
	stub := &connections{t: t, each: []func(http.ResponseWriter, *http.Request){
		status(200, `{"events":[{"seq":4}]}`), // where the present is
		streamOf(eventText(5), eventText(6), "id: 7\ndata: {\"seq\":7"),
		status(503, `{"error":"starting"}`),
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		streamOf(eventText(7), "event: tick\ndata: {\"type\":\"tick\"}\n\n"), // a live event has no id
		streamOf("event: tick\ndata: {\"type\":\"tick\"}\n\n"),
		streamOf(eventText(8)),
	}}
	got, notes, err := follow(t, newTestClient(t, stub.serve), url.Values{"type": {"vm.>"}}, 6)
	if want := []uint64{5, 6, 7, 0, 0, 8}; !slices.Equal(got, want) || err != nil {
		t.Errorf("events %v, %v; want %v", got, err, want)
	}
	const query = "?after=4&stream=true&type=vm.%3E"
	if want := []string{"?limit=1&order=newest", query, "6" + query, "6" + query, "6" + query, "7" + query, "7" + query}; !slices.Equal(stub.asks, want) {
		t.Errorf("asked %q\nwant  %q", stub.asks, want)
	}
	var told []string
	for _, n := range notes {
		told = append(told, fmt.Sprintf("%t after %s", n.Err != nil, n.After))
		if n.Err != nil && (n.Pause <= 0 || n.Pause > maxPause) {
			t.Errorf("a pause of %v", n.Pause)
		}
	}
	if want := []string{"true after 6", "true after 6", "true after 6", "false after 6", "true after 7", "false after 7", "true after 7", "false after 7"}; !slices.Equal(told, want) {
		t.Errorf("told %q\nwant %q", told, want)
	}
}

func TestPausesGrowAndStartAfreshWithAnEvent(t *testing.T) {
	each := []func(http.ResponseWriter, *http.Request){streamOf()}
	for range 8 {
		each = append(each, status(500, `{"error":"no"}`))
	}
	stub := &connections{t: t, each: append(each, streamOf(eventText(1)), streamOf(eventText(2)))}
	_, notes, err := follow(t, newTestClient(t, stub.serve), url.Values{"after": {"0"}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	var longest, last time.Duration
	for _, n := range notes {
		if n.Err != nil {
			longest, last = max(longest, n.Pause), n.Pause
		}
	}
	if longest < maxPause/2 || longest > maxPause || last > firstPause {
		t.Errorf("the longest pause is %v, that after an event %v", longest, last)
	}
}

func TestAStreamEndsWhereAnotherTryIsInVain(t *testing.T) {
	var problem *Problem
	var strange *AnswerError
	var away *UnreachableError
	for name, test := range map[string]struct {
		each []func(http.ResponseWriter, *http.Request)
		as   any
		says string
	}{
		"refused at once":       {[]func(http.ResponseWriter, *http.Request){status(400, `{"error":"bad type","allowed":["vm.>"]}`)}, &problem, "bad type (allowed: vm.>)"},
		"away at once":          {[]func(http.ResponseWriter, *http.Request){func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}, &away, "can't reach"},
		"down at once":          {[]func(http.ResponseWriter, *http.Request){status(503, `{"error":"256 streams already"}`)}, &problem, "256 streams"},
		"no stream":             {[]func(http.ResponseWriter, *http.Request){status(200, `{}`)}, &strange, "no stream"},
		"garbage":               {[]func(http.ResponseWriter, *http.Request){streamOf(eventText(1), "data: <html>\n\n")}, &strange, "no event"},
		"an endless line":       {[]func(http.ResponseWriter, *http.Request){streamOf(strings.Repeat("x", maxLine+1))}, &strange, "longer than"},
		"refused later":         {[]func(http.ResponseWriter, *http.Request){streamOf(eventText(9)), status(400, `{"error":"9 is beyond the newest event, 3"}`)}, &problem, "beyond"},
		"another server, later": {[]func(http.ResponseWriter, *http.Request){streamOf(eventText(9)), status(404, "page not found")}, &problem, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			stub := &connections{t: t, each: test.each}
			_, _, err := follow(t, newTestClient(t, stub.serve), url.Values{"after": {"0"}}, 9)
			if !errors.As(err, test.as) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%T %v, want %T that says %q", err, err, test.as, test.says)
			}
		})
	}
}

func TestASilentConnectionIsGivenUp(t *testing.T) {
	stub := &connections{t: t, each: []func(http.ResponseWriter, *http.Request){
		func(w http.ResponseWriter, r *http.Request) {
			streamOf(eventText(1))(w, r)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done() // and not a word more
		},
		streamOf(eventText(2)),
	}}
	c := newTestClient(t, stub.serve)
	c.silence = 50 * time.Millisecond
	got, notes, err := follow(t, c, url.Values{"after": {"0"}}, 2)
	if !slices.Equal(got, []uint64{1, 2}) || err != nil || len(notes) != 2 || !errors.Is(notes[0].Err, errSilent) {
		t.Errorf("%v, %v, %v", got, notes, err)
	}
}

func TestAStreamEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stub := &connections{t: t, each: []func(http.ResponseWriter, *http.Request){
		func(w http.ResponseWriter, r *http.Request) {
			streamOf(eventText(1))(w, r)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	}}
	var ended error
	for _, err := range newTestClient(t, stub.serve).Follow(ctx, url.Values{"after": {"0"}}, func(i Interruption) { t.Errorf("told %v", i) }) {
		if ended = err; err == nil {
			cancel()
		}
	}
	if !errors.Is(ended, context.Canceled) {
		t.Errorf("it ended with %v", ended)
	}
}
