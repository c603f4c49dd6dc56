package usage_test

import (
	"encoding/csv"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"pgregory.net/rapid"
)

// write runs statements in the house's database.
func (h *house) write(statements ...string) {
	h.t.Helper()
	err := h.store.Writer().Do(h.t.Context(), func(tx *journal.Tx) error {
		for _, s := range statements {
			if err := tx.DB().Exec(s).Error; err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// stretches draws a ledger with intervals and corrections that begin and end on few moments, so that these meet with one another, windows and buckets.
func stretches(t *rapid.T, base time.Time) []string {
	statements := []string{"DELETE FROM usage_intervals", "DELETE FROM usage_corrections"}
	when := func(label string) int64 {
		at := base.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, label)) * 6 * time.Hour).UnixNano()
		return at + rapid.SampledFrom([]int64{0, 0, 1, -1, 1_234_567_890}).Draw(t, "and some")
	}
	for n := range rapid.IntRange(0, 12).Draw(t, "intervals") {
		start, end, closed := when("start"), when("end"), n+100
		if rapid.IntRange(0, 3).Draw(t, "open") == 0 {
			end, closed = 0, 0
		} else {
			start, end = min(start, end), max(start, end)
		}
		statements = append(statements, fmt.Sprintf("INSERT INTO usage_intervals VALUES (%d, 'vm.running', '%s', 'vm', 'vm-1', %d, 1024, 0, 0, %d, %d, %d)",
			n+1, rapid.SampledFrom([]string{"acme", "bolt"}).Draw(t, "tenant"), rapid.IntRange(1, 2).Draw(t, "cpus"), start, end, closed))
	}
	for n := range rapid.IntRange(0, 4).Draw(t, "corrections") {
		from, to := when("from"), when("to")
		from, to = min(from, to), max(from, to)
		length := to - from
		if length == 0 {
			length = rapid.Int64Range(1, 5e9).Draw(t, "amount")
		}
		if rapid.Bool().Draw(t, "less") {
			length = -length
		}
		statements = append(statements, fmt.Sprintf("INSERT INTO usage_corrections VALUES ('c%d', 'k%d', 'acme', 'vm', 'vm.running', 'vm-1', %d, 1024, 0, 0, %d, %d, %d, %d, 0, '%s', '', '', 0)",
			n, n, rapid.IntRange(1, 2).Draw(t, "cpus"), from, to, length/1e9, length%1e9, reverses(n)))
	}
	return statements
}

// reverses keeps the index on what is reversed happy: each says that it reverses another one.
func reverses(n int) string { return fmt.Sprint("r", n) }

// Each bucket says what a report on it alone says; and together they say what one on the whole window does.
func TestBucketsAreReportsOfTheirOwn(t *testing.T) {
	h := open(t)
	base := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC) // clocks in Berlin are put forward on the 29th
	h.now = base.Add(50 * time.Hour)
	longest := map[string]int64{"hour": 12 * 3600e9, "day": 100 * 3600e9, "month": 2000 * 3600e9}
	rapid.Check(t, func(t *rapid.T) {
		h.write(stretches(t, base)...)
		q := usage.Query{
			From: base.Add(time.Duration(rapid.IntRange(-2, 8).Draw(t, "from")) * 6 * time.Hour), Bucket: rapid.SampledFrom([]string{"hour", "day", "month"}).Draw(t, "bucket"),
			TZ: rapid.SampledFrom([]string{"", "Europe/Berlin", "Asia/Kathmandu"}).Draw(t, "tz"),
			By: rapid.SampledFrom([][]string{nil, {}, {usage.ByTenant}, {usage.ByResource, usage.BySize}}).Draw(t, "by"),
		}
		q.To = q.From.Add(time.Duration(rapid.Int64Range(1, longest[q.Bucket]).Draw(t, "length")))
		got := h.report(t, q)
		bounds, err := usage.Cut(q.Bucket, q.TZ, q.From, q.To)
		if err != nil {
			t.Fatal(err)
		}
		whole := q
		whole.Bucket, whole.TZ = "", ""
		sums := map[usage.Row]usage.Row{}
		for i := range bounds[1:] {
			if !bounds[i].Before(h.now) {
				continue // in buckets to come nothing runs: rows of intervals that are open would say nothing
			}
			one := whole
			one.From, one.To = bounds[i], bounds[i+1]
			want := slices.DeleteFunc(h.report(t, one), silent)
			own := slices.DeleteFunc(slices.Clone(got), func(r usage.Row) bool { return !r.From.Equal(bounds[i]) })
			for n := range own {
				if !own[n].To.Equal(bounds[i+1]) {
					t.Fatalf("the bucket from %v on ends %v, want %v", bounds[i], own[n].To, bounds[i+1])
				}
				own[n].From, own[n].To = time.Time{}, time.Time{}
			}
			if own = slices.DeleteFunc(own, silent); !slices.Equal(own, want) {
				t.Fatalf("bucket from %v on:\n%+v\na report on it alone:\n%+v", bounds[i], own, want)
			}
		}
		for _, r := range got {
			k := about(r)
			s := sums[k]
			s.Seconds, s.Corrections, s.Total = s.Seconds.Add(r.Seconds), s.Corrections.Add(r.Corrections), s.Total.Add(r.Total)
			sums[k] = s
		}
		for _, r := range h.report(t, whole) {
			k := about(r)
			if s := sums[k]; s.Seconds != r.Seconds || s.Corrections != r.Corrections || s.Total != r.Total || r.Total != r.Seconds.Add(r.Corrections) {
				t.Fatalf("buckets add up to %+v, the whole window has %+v", s, r)
			}
			delete(sums, k)
		}
		if len(got) > 0 && len(sums) > 0 {
			t.Fatalf("only in buckets: %v", sums)
		}
	})
}

// silent reports whether a row says nothing about nothing: a report by nothing that finds nothing has such a one.
func silent(r usage.Row) bool { return r == usage.Row{} }

func about(r usage.Row) usage.Row {
	return usage.Row{Tenant: r.Tenant, Kind: r.Kind, Meter: r.Meter, ResourceID: r.ResourceID, Size: r.Size}
}

func (h *house) report(t interface{ Fatal(...any) }, q usage.Query) []usage.Row {
	r, err := h.ledger.Report(h.t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r.Rows
}

func TestHTTPBuckets(t *testing.T) {
	h := open(t)
	h.now = noon.AddDate(0, 0, 2)
	id := h.create("acme", 2, at(0))
	h.fire(id, vm.DestroyRequested, at(24*3600+0.5))
	h.settle()
	get := func(query string) string {
		w := httptest.NewRecorder()
		h.manager.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/v1/usage?"+query, nil))
		if w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	const window = "by=meter&from=2026-05-01T00:00:00Z&to=2026-05-03T00:00:00Z&bucket=day&tz=Europe/Berlin"
	want := `{"from":"2026-05-01T00:00:00Z","to":"2026-05-03T00:00:00Z","bucket":"day","tz":"Europe/Berlin","rows":[` +
		`{"meter":"vm.allocated","from":"2026-05-01T02:00:00+02:00","to":"2026-05-02T00:00:00+02:00","seconds":36000,"corrections":0,"total":36000,"intervals":1,"open":1},` +
		`{"meter":"vm.allocated","from":"2026-05-02T00:00:00+02:00","to":"2026-05-03T00:00:00+02:00","seconds":50400.5,"corrections":0,"total":50400.5,"intervals":1,"open":0}]}`
	if got := strings.TrimSpace(get(window)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	lines, err := csv.NewReader(strings.NewReader(get(window + "&format=csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 3 || lines[2][0] != "2026-05-02T00:00:00+02:00" || lines[2][1] != "2026-05-03T00:00:00+02:00" || lines[2][10] != "50400.5" {
		t.Errorf("CSV %q", lines)
	}
}

// Rows are counted as they come to be: neither many groups nor one interval in many buckets makes a report of more than MaxRows.
func TestTooManyRows(t *testing.T) {
	h := open(t)
	h.write("INSERT INTO usage_intervals VALUES (1, 'vm.running', 'acme', 'vm', 'vm-1', 1, 1024, 0, 0, " + fmt.Sprint(at(-9e7).UnixNano()) + ", 0, 0)")
	fits := usage.Query{From: at(-9e7 - 1800), To: at(0), Bucket: "hour"}
	if rows := h.report(t, fits); len(rows) != 25000 {
		t.Errorf("%d rows, want 25000", len(rows))
	}
	for n := 2; n <= 5; n++ {
		h.write(fmt.Sprintf("INSERT INTO usage_intervals VALUES (%d, 'vm.running', 'tenant-%d', 'vm', 'vm-%d', 1, 1024, 0, 0, %d, 0, 0)", n, n, n, at(-9e7).UnixNano()))
	}
	_, err := h.ledger.Report(t.Context(), fits)
	if err == nil || !strings.Contains(err.Error(), "makes more than 100000 rows") {
		t.Errorf("error %v", err)
	}
}
