package usage_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func seconds(n float64) usage.Amount { return usage.AmountOf(time.Duration(n * float64(time.Second))) }

// stretch takes away what was metered from ten to twenty seconds past noon.
func stretch() usage.Correction {
	return usage.Correction{Key: "k1", Tenant: "acme", Meter: "vm.running", From: at(10), To: at(20), Amount: seconds(-10), Reason: "outage", Actor: "user:1"}
}

func moments() usage.Correction {
	return usage.Correction{Key: "k2", Tenant: "acme", Meter: "vm.running", At: at(30), Amount: seconds(-0.5), Reason: "goodwill", Actor: "user:1"}
}

func (h *house) correct(c usage.Correction) usage.Correction {
	h.t.Helper()
	entry, err := h.ledger.Correct(h.t.Context(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	return entry
}

func TestCorrectionsAreAmountsOfTheirOwn(t *testing.T) {
	h := open(t)
	id := h.create("acme", 2, at(0))
	h.fire(id, vm.ReportRunning, at(0))
	h.fire(id, vm.ReportStopped, at(100))
	h.correct(stretch())
	h.correct(moments())
	h.settle()
	for _, c := range []struct {
		name     string
		from, to float64
		want     string
	}{
		{"all", 0, 3600, `"seconds":100,"corrections":-10.5,"total":89.5,"intervals":1,"open":0`},
		{"the stretch is cut on its left", 15, 3600, `"seconds":85,"corrections":-5.5,"total":79.5,"intervals":1,"open":0`},
		{"the stretch is cut on its right", 0, 12.25, `"seconds":12.25,"corrections":-2.25,"total":10,"intervals":1,"open":1`},
		{"inside of the stretch", 11, 12, `"seconds":1,"corrections":-1,"total":0,"intervals":1,"open":1`},
		{"before", 0, 10, `"seconds":10,"corrections":0,"total":10,"intervals":1,"open":1`},
		{"the moment is where a window begins", 30, 31, `"seconds":1,"corrections":-0.5,"total":0.5,"intervals":1,"open":1`},
		{"the moment is where a window ends", 29, 30, `"seconds":1,"corrections":0,"total":1,"intervals":1,"open":1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := h.report(t, usage.Query{From: at(c.from), To: at(c.to), Meter: "vm.running", By: []string{usage.ByTenant}})
			text, err := json.Marshal(rows)
			if want := `[{"tenant":"acme",` + c.want + `}]`; err != nil || string(text) != want {
				t.Errorf("%s, %v\nwant %s", text, err, want)
			}
		})
	}
	totals, err := h.ledger.Totals(t.Context(), usage.Query{Meter: "vm.running"})
	if want := (usage.Total{Seconds: seconds(100), Corrections: seconds(-10.5)}); err != nil || totals["vm.running"] != want {
		t.Errorf("totals %+v, %v", totals, err)
	}
}

// What is corrected where nothing ran has a row as well.
func TestACorrectionWithoutIntervals(t *testing.T) {
	h := open(t)
	c := h.correct(usage.Correction{Key: "k", Tenant: "bolt", Meter: "volume.allocated", Size: usage.Size{GiB: 10}, Amount: seconds(60), Reason: "forgotten", Actor: "user:1"})
	if !c.At.Equal(h.now) || !c.CreatedAt.Equal(h.now) || c.Kind != "volume" {
		t.Errorf("entry %+v", c)
	}
	got := h.report(t, usage.Query{})
	want := usage.Row{Tenant: "bolt", Kind: "volume", Meter: "volume.allocated", Size: usage.Size{GiB: 10}, Corrections: seconds(60), Total: seconds(60)}
	if len(got) != 1 || got[0] != want {
		t.Errorf("rows %+v, want %+v", got, want)
	}
}

func TestACorrectionOfAnInterval(t *testing.T) {
	h := open(t)
	id := h.create("acme", 2, at(0))
	h.settle()
	c := stretch()
	c.Meter, c.OpenedSeq, c.Tenant = "vm.allocated", 1, ""
	c = h.correct(c)
	if c.Tenant != "acme" || c.Kind != "vm" || c.ResourceID != id || c.Size != (usage.Size{CPUs: 2, MemoryMiB: 1024}) {
		t.Errorf("entry %+v", c)
	}
	if rows := h.report(t, usage.Query{To: at(100)}); len(rows) != 1 || rows[0].Total != seconds(90) {
		t.Errorf("rows %+v", rows)
	}
	for field, change := range map[string]func(*usage.Correction){
		`opened_seq "2" opened no interval of meter vm.allocated`:                      func(c *usage.Correction) { c.OpenedSeq = 2 },
		`opened_seq "1" opened no interval of meter vm.running`:                        func(c *usage.Correction) { c.Meter = "vm.running" },
		`tenant "bolt" isn't that of interval 1, which is "acme"`:                      func(c *usage.Correction) { c.Tenant = "bolt" },
		`resource_id "vm-2" isn't that of interval 1, which is "` + id + `"`:           func(c *usage.Correction) { c.ResourceID = "vm-2" },
		`size "{CPUs:1 MemoryMiB:0 GiB:0 Units:0}" isn't that of interval 1, which is`: func(c *usage.Correction) { c.Size = usage.Size{CPUs: 1} },
	} {
		other := stretch()
		other.Key, other.Meter, other.OpenedSeq, other.Tenant = "other", "vm.allocated", 1, ""
		change(&other)
		h.refuses(other, field)
	}
}

func (h *house) refuses(c usage.Correction, want string) {
	h.t.Helper()
	_, err := h.ledger.Correct(h.t.Context(), c)
	if _, ok := errors.AsType[*usage.CorrectionError](err); !ok || !strings.Contains(fmt.Sprint(err), want) {
		h.t.Errorf("%v, want %s", err, want)
	}
}

func TestACorrectionIsUndoneByAnother(t *testing.T) {
	h := open(t)
	first := h.correct(stretch())
	undo := usage.Correction{Key: "undo", Reverses: first.ID, Reason: "it was no outage", Actor: "user:2"}
	second := h.correct(undo)
	if second.Amount != seconds(10) || !second.From.Equal(at(10)) || second.Meter != "vm.running" || second.Tenant != "acme" || second.Reverses != first.ID {
		t.Errorf("entry %+v", second)
	}
	if rows := h.report(t, usage.Query{From: at(5), To: at(15)}); len(rows) != 1 || rows[0].Corrections != (usage.Amount{}) {
		t.Errorf("rows %+v", rows)
	}
	if again := h.correct(undo); again != second {
		t.Errorf("repeated: %+v, before %+v", again, second)
	}
	undo.Key = "undo again"
	h.refuses(undo, "is reversed already, by "+second.ID.String())
	h.correct(usage.Correction{Key: "redo", Reverses: second.ID, Reason: "it was", Actor: "user:1"})
	if rows := h.report(t, usage.Query{From: at(5), To: at(15)}); len(rows) != 1 || rows[0].Corrections != seconds(-5) {
		t.Errorf("rows %+v", rows)
	}
	undo.Reverses = bus.NewID(h.now)
	h.refuses(undo, "is no correction")
	undo.Meter = "vm.running"
	h.refuses(undo, "beside it only key, reason and actor are allowed")
}

func TestAKeyStandsForOneCorrection(t *testing.T) {
	h := open(t)
	for _, c := range []usage.Correction{stretch(), moments(), {Key: "k3", Meter: "nic.reserved", Amount: seconds(1), Reason: "r", Actor: "a"}} {
		first := h.correct(c)
		h.now = h.now.Add(time.Minute)
		if again := h.correct(c); again != first {
			t.Errorf("%s: %+v, before %+v", c.Key, again, first)
		}
	}
	for field, change := range map[string]func(*usage.Correction){
		"meter": func(c *usage.Correction) { c.Meter = "vm.allocated" }, "tenant": func(c *usage.Correction) { c.Tenant = "bolt" },
		"resource_id": func(c *usage.Correction) { c.ResourceID = "vm-1" }, "size": func(c *usage.Correction) { c.Size.CPUs = 3 },
		"seconds": func(c *usage.Correction) { c.Amount = seconds(10) }, "reason": func(c *usage.Correction) { c.Reason = "other" },
		"actor": func(c *usage.Correction) { c.Actor = "other" }, "from": func(c *usage.Correction) { c.From, c.Amount = at(15), seconds(-5) },
		"to": func(c *usage.Correction) { c.To, c.Amount = at(15), seconds(-5) }, "at": func(c *usage.Correction) { c.From, c.To, c.At = time.Time{}, time.Time{}, at(1) },
	} {
		c := stretch()
		change(&c)
		_, err := h.ledger.Correct(t.Context(), c)
		if e, ok := errors.AsType[*usage.KeyError](err); !ok || e.Key != "k1" || e.ID.IsZero() || e.Field != field && field != "from" && field != "to" {
			t.Errorf("another %s: %v", field, err)
		}
	}
	if found, _, err := h.ledger.Corrections(t.Context(), usage.CorrectionQuery{}); err != nil || len(found) != 3 {
		t.Errorf("%d corrections, %v", len(found), err)
	}
}

func TestWrongCorrections(t *testing.T) {
	h := open(t)
	for _, c := range []struct {
		name   string
		change func(*usage.Correction)
		want   string
	}{
		{"an id", func(c *usage.Correction) { c.ID = bus.NewID(h.now) }, "and created_at are given by the ledger"},
		{"no key", func(c *usage.Correction) { c.Key = "" }, "key is missing"},
		{"no reason", func(c *usage.Correction) { c.Reason = "" }, "reason is missing"},
		{"no actor", func(c *usage.Correction) { c.Actor = "" }, "actor is missing"},
		{"a long key", func(c *usage.Correction) { c.Key = strings.Repeat("k", 256) }, "has 256 bytes; at most 255 are allowed"},
		{"a control character", func(c *usage.Correction) { c.Tenant = "a\x00b" }, `tenant "a\x00b" has a control character`},
		{"no UTF-8", func(c *usage.Correction) { c.Reason = "\xff" }, "is not valid UTF-8"},
		{"no meter", func(c *usage.Correction) { c.Meter = "" }, "meter is missing (allowed: network.implemented,"},
		{"an unknown meter", func(c *usage.Correction) { c.Meter = "vm.runing" }, `meter "vm.runing" is unknown (allowed: network.implemented,`},
		{"another kind", func(c *usage.Correction) { c.Kind = "nic" }, `kind "nic" isn't that of meter vm.running, which is vm`},
		{"a size below 0", func(c *usage.Correction) { c.Size.CPUs = -1 }, `size.cpus "-1" is not in 0 to 1000000000000`},
		{"an absurd size", func(c *usage.Correction) { c.Size.GiB = 1e15 }, `size.gib "1000000000000000" is not in`},
		{"nothing", func(c *usage.Correction) { c.Amount = usage.Amount{} }, `seconds "0" corrects nothing`},
		{"an absurd amount", func(c *usage.Correction) { c.Amount = usage.Amount{Seconds: -1e13} }, `seconds "-10000000000000" is not in`},
		{"an amount that isn't the stretch's", func(c *usage.Correction) { c.Amount = seconds(9) }, `seconds "9" is neither the time from from to to, 10, nor -10`},
		{"an empty stretch", func(c *usage.Correction) { c.To = c.From }, `is not before to`},
		{"an inverted stretch", func(c *usage.Correction) { c.From, c.To = c.To, c.From }, `is not before to "2026-05-01T12:00:10Z"`},
		{"a half stretch", func(c *usage.Correction) { c.To = time.Time{} }, `and to belong together`},
		{"a stretch and a moment", func(c *usage.Correction) { c.At = at(1) }, `is there beside from and to`},
		{"in the future", func(c *usage.Correction) { c.To, c.Amount = at(3601), seconds(3591) }, `to "2026-05-01T13:00:01Z" is in the future`},
		{"long ago", func(c *usage.Correction) { c.From = time.Unix(-1, 0) }, `is before 1970`},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrong := stretch()
			c.change(&wrong)
			h.refuses(wrong, c.want)
		})
	}
}

func TestCorrectionsAreToldOf(t *testing.T) {
	h := open(t)
	c := h.correct(stretch())
	records, err := h.bus.Journal().(*journal.Journal).Query(t.Context(), journal.Query{Type: "usage.vm.running.corrected"})
	if err != nil || len(records) != 1 || records[0].Actor != "user:1" || records[0].Tenant != "acme" || records[0].Kind != "vm" || !records[0].Time.Equal(h.now) {
		t.Fatalf("records %+v, %v", records, err)
	}
	payload, err := h.bus.Decode(records[0])
	if e, ok := payload.(usage.Corrected); err != nil || !ok || e.Correction != c {
		t.Errorf("%+v, %v, want %+v", payload, err, c)
	}
}

func TestCorrectionsByPages(t *testing.T) {
	h := open(t)
	for n := range 5 {
		c := moments()
		c.Key, c.At = fmt.Sprint(n), at(float64(n))
		h.correct(c)
	}
	var keys string
	q := usage.CorrectionQuery{Limit: 2, From: at(1)}
	for {
		page, next, err := h.ledger.Corrections(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			keys += c.Key
		}
		if keys += "|"; next.IsZero() {
			break
		}
		q.After = next
	}
	if keys != "12|34|" {
		t.Errorf("pages %s", keys)
	}
}

func TestHTTPCorrections(t *testing.T) {
	h := open(t)
	do := func(method, target, body string) (int, string) {
		w := httptest.NewRecorder()
		h.manager.Handler().ServeHTTP(w, httptest.NewRequest(method, "/v1/usage/corrections"+target, strings.NewReader(body)))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	const good = `{"key":"k1","tenant":"acme","meter":"vm.running","size":{"cpus":2},"at":"2026-05-01T12:00:30Z","seconds":-0.5,"reason":"goodwill","actor":"user:1"}`
	status, first := do("POST", "", good)
	if status != 201 || !strings.Contains(first, `"seconds":-0.5`) {
		t.Errorf("%d %s", status, first)
	}
	if status, again := do("POST", "", good); status != 200 || again != first {
		t.Errorf("repeated: %d %s", status, again)
	}
	for _, c := range []struct {
		name, method, target, body string
		status                     int
		want                       string
	}{
		{"the key of another", "POST", "", strings.Replace(good, "-0.5", "-0.6", 1), 409, `key \"k1\" is that of`},
		{"no object", "POST", "", `[]`, 400, `the body is no JSON object such as`},
		{"nothing", "POST", "", ``, 400, `the body is no JSON object`},
		{"null", "POST", "", `null`, 400, `the body is no JSON object`},
		{"more", "POST", "", good + `{}`, 400, `the body is no JSON object`},
		{"an unknown field", "POST", "", `{"amount":1}`, 400, `field \"amount\" is unknown (allowed: key, tenant,`},
		{"other letters", "POST", "", `{"Key":"a"}`, 400, `field \"Key\" is unknown`},
		{"twice", "POST", "", `{"key":"a","key":"b"}`, 400, `field \"key\" comes more than once`},
		{"null in it", "POST", "", `{"key":null}`, 400, `field \"key\" is null`},
		{"an unknown size", "POST", "", `{"size":{"gpus":1}}`, 400, `unknown field \"gpus\"`},
		{"another type", "POST", "", `{"key":1}`, 400, `field \"key\" can't be a JSON number`},
		{"no amount", "POST", "", `{"seconds":"1h"}`, 400, `is no amount of seconds`},
		{"a time that is none", "POST", "", `{"at":"yesterday"}`, 400, `the body is not the JSON that is needed`},
		{"what the ledger gives", "POST", "", `{"id":"x"}`, 400, `field \"id\" is unknown`},
		{"a parameter", "POST", "?key=1", good, 400, `unknown parameter`},
		{"too long", "POST", "", strings.Repeat(" ", 65<<10), 413, `larger than 64 KiB`},
		{"list", "GET", "?tenant=acme&meter=vm.running&from=2026-05-01T12:00:30Z&to=2026-05-01T12:00:31Z", "", 200, `{"corrections":[{"id":"`},
		{"list of none", "GET", "?key=k9", "", 200, `{"corrections":[]}`},
		{"list of no time", "GET", "?from=2026-05-01T12:00:31Z&to=2026-05-01T12:00:31Z", "", 400, `is not before to`},
		{"list by an unknown meter", "GET", "?meter=x", "", 400, `meter \"x\" is unknown`},
		{"list after nothing", "GET", "?after=x", "", 400, `after \"x\" is no correction's id`},
		{"list of none at a time", "GET", "?limit=0", "", 400, `limit \"0\" is not in 1 to 1000`},
		{"list of too many at a time", "GET", "?limit=1001", "", 400, `limit \"1001\" is not in 1 to 1000`},
		{"list of event 0", "GET", "?opened_seq=0", "", 400, `opened_seq \"0\" is no event's number`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, body := do(c.method, c.target, c.body); status != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%d %s\nwant %d …%s…", status, body, c.status, c.want)
			}
		})
	}
}
