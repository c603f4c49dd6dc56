package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestAddressesOfServers(t *testing.T) {
	for text, want := range map[string]string{
		"": DefaultServer, "127.0.0.1:18080": "http://127.0.0.1:18080", "localhost:80": "http://localhost:80", "[::1]:8080": "http://[::1]:8080",
		"cloud.example.org": "https://cloud.example.org", "http://cloud.example.org/bus/": "http://cloud.example.org/bus", "https://x:1": "https://x:1",
	} {
		c, err := New(Options{Server: text})
		if err != nil || c.Server() != want {
			t.Errorf("%q: %v, %v; want %s", text, c, err, want)
		}
	}
	for _, text := range []string{"ftp://x", "http://", "http://x?y=z", "http://user:pass@x", "http://x#y", "::", "http://[::1", "http:// x", ":8080"} {
		_, err := New(Options{Server: text})
		if wrong := (*AddressError)(nil); !errors.As(err, &wrong) || !strings.Contains(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%q: %v, want an *AddressError that names it", text, err)
		}
	}
}

func TestRefusalsAreToldInTheServersWords(t *testing.T) {
	for name, test := range map[string]struct {
		media, body string
		want        string
		allowed     []string
	}{
		"with what is allowed":  {"application/json", `{"error":"unknown kind \"vn\"","allowed":["vm","nic"]}`, `unknown kind "vn" (allowed: vm, nic)`, []string{"vm", "nic"}},
		"that names it already": {"application/json; charset=utf-8", `{"error":"cannot go (allowed: a, b)","allowed":["a","b"]}`, "cannot go (allowed: a, b)", []string{"a", "b"}},
		"of something else":     {"text/html", "<html>\nlong", "GET /v1/x answered 418 I'm a teapot: <html> …", nil},
		"JSON of another sort":  {"application/json", `{"message":"no"}`, `GET /v1/x answered 418 I'm a teapot: {"message":"no"}`, nil},
		"half of one":           {"application/json", `{"error":"no","allowed":7}`, `GET /v1/x answered 418 I'm a teapot: {"error":"no","allowed":7}`, nil},
		"without words":         {"", "", "GET /v1/x answered 418 I'm a teapot", nil},
		"with many":             {"", strings.Repeat("ü", 300), "GET /v1/x answered 418 I'm a teapot: " + strings.Repeat("ü", 200) + "…", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", test.media)
				w.WriteHeader(http.StatusTeapot)
				_, _ = io.WriteString(w, test.body)
			})
			_, err := c.Read(t.Context(), "/v1/x", nil)
			var p *Problem
			if !errors.As(err, &p) || p.Error() != test.want || p.Status != 418 || !slices.Equal(p.Allowed, test.allowed) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestRequestsSayWhoAsks(t *testing.T) {
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s %s %s", r.Method, r.URL.RequestURI(), r.Header.Get("X-Actor"), r.Header.Get("Content-Type"), body)
	})
	got, err := c.Send(t.Context(), "POST", Path("v1", "a/b", "ü?"), map[string]int{"n": 1})
	if want := `POST /v1/a%2Fb/%C3%BC%3F user:42 application/json {"n":1}`; string(got) != want || err != nil {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

func TestAnAnswerThatBreaksOffIsAnError(t *testing.T) {
	c := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"kinds":`)
	})
	_, err := c.Read(t.Context(), "/v1/resources", nil)
	if away := (*UnreachableError)(nil); !errors.As(err, &away) {
		t.Errorf("%v, want an *UnreachableError", err)
	}
}

func TestListsPageThroughAndKeepWhatTheServerSays(t *testing.T) {
	var asked []string
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		switch r.URL.Query().Get("after") {
		case "":
			_, _ = io.WriteString(w, `{"items":[{"n":9007199254740993,"x":1.50},{"n":2}],"next":"b"}`)
		case "b":
			_, _ = io.WriteString(w, `{"items":[],"next":17}`) // a search that found nothing yet, and a number
		case "17":
			_, _ = io.WriteString(w, `{"items":[{"n":3}]}`)
		}
	})
	var got []string
	query := url.Values{"kind": {"vm"}}
	for item, err := range c.List(t.Context(), Listing{Path: "/v1/x", Query: query, Items: "items", Cursor: "after"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(item))
	}
	if want := []string{`{"n":9007199254740993,"x":1.50}`, `{"n":2}`, `{"n":3}`}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if want := []string{"kind=vm&limit=1000", "after=b&kind=vm&limit=1000", "after=17&kind=vm&limit=1000"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
	if len(query) != 1 {
		t.Errorf("the query was changed: %v", query)
	}
}

func TestListsEndWhereTheyAreTold(t *testing.T) {
	asked := 0
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		_, _ = fmt.Fprintf(w, `{"items":[1,2],"next":"%d"}`, asked)
	})
	n := 0
	for _, err := range c.List(t.Context(), Listing{Path: "/v1/x", Items: "items", Cursor: "after", Most: 4}) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 4 || asked != 2 {
		t.Errorf("%d entries of %d pages, want 4 of 2", n, asked)
	}
}

func TestListsThatMakeNoSense(t *testing.T) {
	for name, answer := range map[string]string{
		"no JSON": "<html>", "another answer": `{"kinds":[]}`, "no list": `{"items":7}`, "a circle": `{"items":[1],"next":"a"}`, "null": `null`,
	} {
		c := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
		var last error
		n := 0
		for _, err := range c.List(t.Context(), Listing{Path: "/v1/x", Items: "items", Cursor: "after"}) {
			if last = err; n > 10 {
				break
			}
			n++
		}
		if strange := (*AnswerError)(nil); !errors.As(last, &strange) {
			t.Errorf("%s: %v, want an *AnswerError", name, last)
		}
	}
}

func TestEventsOfTheJournalAndOfTheLogAreReadAlike(t *testing.T) {
	for _, text := range []string{
		`{"seq":9007199254740993,"id":"01890a5d-ac96-774b-bcce-b302099a8057","type":"vm.created","schema":1,"source":"cloudbus/x","subject":"vm/web1","time":"2026-01-02T03:04:05.123456789Z","version":1,"data":{"n":9007199254740993}}`,
		`{"seq":9007199254740993,"id":"01890a5d-ac96-774b-bcce-b302099a8057","type":"vm.created","schema":1,"source":"cloudbus/x","kind":"vm","resource_id":"web1","time":"2026-01-02T03:04:05.123456789Z","version":1,"data":{"n":9007199254740993}}`,
	} {
		var e Event
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		h := e.Recorded().Header
		if string(e.Raw) != text || e.Subject != "vm/web1" || h.Kind != "vm" || h.ResourceID != "web1" || h.Seq != 9007199254740993 || string(e.Recorded().Payload) != `{"n":9007199254740993}` {
			t.Errorf("%s is read as %+v", text, e)
		}
	}
}
