package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// message is a server-sent event.
type message struct {
	ID, Event, Data string
}

// listener reads an event stream.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  func()
}

func (a *testAPI) listen(query string, header ...string) *listener {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 30*time.Second)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/v1/events"+query, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		a.t.Fatalf("%s %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	l := &listener{a.t, bufio.NewScanner(resp.Body), func() { cancel(); _ = resp.Body.Close() }}
	a.t.Cleanup(l.stop)
	if !l.lines.Scan() || l.lines.Text() != ": hello" {
		a.t.Fatalf("the stream begins with %q", l.lines.Text())
	}
	return l
}

// next returns the next event; comments are left out.
func (l *listener) next() message {
	l.t.Helper()
	var m message
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "id":
			m.ID = value
		case "event":
			m.Event = value
		case "data":
			m.Data = value
		}
		if l.lines.Text() == "" && m.Event != "" {
			return m
		}
	}
	l.t.Fatal("the stream ended")
	return m
}

func TestStreamTellsWhatComes(t *testing.T) {
	a := newTestAPI(t)
	a.must(201, "POST", "/v1/resources/vm", `{"id":"before"}`)
	l := a.listen("")
	a.must(201, "POST", "/v1/resources/vm", `{"id":"after","tenant":"acme"}`)
	got := l.next()
	var e eventView
	if err := json.Unmarshal([]byte(got.Data), &e); err != nil {
		t.Fatal(err)
	}
	if got.ID != "2" || got.Event != "vm.created" || e.Seq != 2 || e.Subject != "vm/after" || e.Tenant != "acme" || len(e.Data) == 0 {
		t.Errorf("got %+v", got)
	}
}

func TestStreamResumesBehindTheLastEvent(t *testing.T) {
	a := newTestAPI(t)
	for i := range 6 {
		a.must(201, "POST", "/v1/resources/vm", fmt.Sprintf(`{"id":"vm%d"}`, i))
	}
	first := a.listen("?after=0")
	for i := range 3 {
		if got := first.next(); got.ID != fmt.Sprint(i+1) {
			t.Fatalf("event %s, want %d", got.ID, i+1)
		}
	}
	first.stop()
	a.must(201, "POST", "/v1/resources/vm", `{"id":"vm6"}`)
	second := a.listen("?after=0", "Last-Event-ID: 3") // the header goes first: it is what a browser adds by itself
	for i := 4; i <= 7; i++ {
		if got := second.next(); got.ID != fmt.Sprint(i) {
			t.Fatalf("event %s, want %d", got.ID, i)
		}
	}
	since := "?since=" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	if got := a.listen(since).next(); got.ID != "1" {
		t.Errorf("since an hour ago: event %s", got.ID)
	}
	if got := a.listen(since, "Last-Event-ID: 5").next(); got.ID != "6" {
		t.Errorf("since an hour ago, connected again after event 5: event %s", got.ID)
	}
}

func TestStreamIsFiltered(t *testing.T) {
	a := newTestAPI(t)
	a.must(201, "POST", "/v1/resources/vm", `{"id":"a","tenant":"red"}`)
	a.must(201, "POST", "/v1/resources/vm", `{"id":"b","tenant":"blue"}`, "X-Actor: bob", "X-Request-ID: r1")
	a.must(201, "POST", "/v1/resources/nic", `{"id":"a","tenant":"blue"}`)
	a.must(200, "POST", "/v1/resources/vm/a/fire", `{"trigger":"report_running"}`)
	a.must(201, "POST", "/v1/resources/network", `{"id":"last","tenant":"all"}`, "X-Actor: bob", "X-Request-ID: r1")
	tests := []struct {
		query string
		want  []string
	}{
		{"", []string{"1", "2", "3", "4", "5"}},
		{"&type=vm.%3E", []string{"1", "2", "4"}},
		{"&type=vm.created&type=nic.%3E", []string{"1", "2", "3"}},
		{"&tenant=blue", []string{"2", "3"}},
		{"&kind=vm", []string{"1", "2", "4"}},
		{"&kind=vm&id=a", []string{"1", "4"}},
		{"&actor=bob", []string{"2", "5"}},
		{"&correlation=r1&kind=vm", []string{"2"}},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			l, got := a.listen("?after=0"+tt.query), []string{}
			for range tt.want {
				got = append(got, l.next().ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("events %v, want %v", got, tt.want)
			}
		})
	}
}

func TestStreamsThatAreRefused(t *testing.T) {
	a := newTestAPI(t)
	a.must(201, "POST", "/v1/resources/vm", `{"id":"a"}`)
	tests := []struct{ name, query, header, says string }{
		{"position that is no number", "", "Last-Event-ID: x", `"x"`},
		{"position beyond the end", "", "Last-Event-ID: 2", "beyond"},
		{"position below 0", "&after=-1", "", "-1"},
		{"wrong pattern", "&type=vm..x", "", "vm..x"},
		{"unknown kind", "&kind=vn", "", `"vn"`},
		{"id of no kind", "&id=a", "", "kind"},
		{"two positions", "&after=0&since=2026-01-01T00:00:00Z", "", "since"},
		{"a limit", "&limit=5", "", "limit"},
		{"an order", "&order=newest", "", "order"},
		{"an end", "&until=2026-01-01T00:00:00Z", "", "until"},
		{"unknown parameter", "&colour=red", "", "colour"},
		{"neither true nor false", "&stream=maybe", "", "stream"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			header := []string{"Accept: text/event-stream"}
			if tt.header != "" {
				header = append(header, tt.header)
			}
			got := a.do("GET", "/v1/events?"+strings.TrimPrefix(tt.query, "&"), "", header...)
			if said, _ := got.json["error"].(string); got.status != 400 || !strings.Contains(said, tt.says) {
				t.Errorf("%d %s, want 400 and %q", got.status, got.body, tt.says)
			}
		})
	}
}

func TestStreamsAreBounded(t *testing.T) {
	a := newTestAPI(t)
	a.streams = make(chan struct{}, 1)
	l := a.listen("")
	a.must(503, "GET", "/v1/events?stream=true", "")
	l.stop()
	a.streams <- struct{}{} // there is room again as soon as the server has noticed
	<-a.streams
	a.listen("").stop()
}

func TestQuietStreamShowsThatItLives(t *testing.T) {
	a := newTestAPI(t)
	a.heartbeat = 10 * time.Millisecond
	l := a.listen("")
	for l.lines.Scan() {
		if l.lines.Text() == ": still here" {
			return
		}
	}
	t.Error("the stream ended")
}

// A reader that doesn't read makes its own stream fall behind, and nobody else's.
func TestSlowReaderOfAStreamSlowsNobody(t *testing.T) {
	a := newTestAPI(t)
	slow := a.listen("?after=0")
	reason := strings.Repeat("because ", 120)
	const rounds = 400
	for i := range rounds {
		id := fmt.Sprint("vm", i)
		a.must(201, "POST", "/v1/resources/vm", `{"id":"`+id+`"}`)
		for _, on := range []string{"report_running", "report_paused", "report_running", "report_stopped"} {
			a.must(200, "POST", "/v1/resources/vm/"+id+"/fire", `{"trigger":"`+on+`","reason":"`+reason+`"}`)
		}
	}
	quick := a.listen("?after=0")
	for i := range 5 * rounds {
		if got := quick.next(); got.ID != fmt.Sprint(i+1) {
			t.Fatalf("event %s, want %d", got.ID, i+1)
		}
	}
	for i := range 5 * rounds { // and it misses nothing when it reads at last
		if got := slow.next(); got.ID != fmt.Sprint(i+1) {
			t.Fatalf("slow reader: event %s, want %d", got.ID, i+1)
		}
	}
}
