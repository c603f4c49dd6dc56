package usage_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // for machines without

	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"pgregory.net/rapid"
)

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestBuckets(t *testing.T) {
	for _, c := range []struct {
		name, bucket, tz, from, to string
		want                       []string // bounds by the local clock
	}{
		{"hours", "hour", "", "2026-05-01T10:30:00Z", "2026-05-01T12:00:00Z", []string{"05-01 10:30+0000", "05-01 11:00+0000", "05-01 12:00+0000"}},
		{"inside of one", "hour", "", "2026-05-01T10:30:00Z", "2026-05-01T10:30:00.000000001Z", []string{"05-01 10:30+0000", "05-01 10:30+0000"}},
		{"days elsewhere", "day", "Asia/Kolkata", "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z", []string{"05-01 05:30+0530", "05-02 00:00+0530", "05-02 05:30+0530"}},
		{"a day of 23 hours", "day", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-30T22:00:00Z", []string{"03-29 00:00+0100", "03-30 00:00+0200", "03-31 00:00+0200"}},
		{"a day of 25 hours", "day", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z", []string{"10-25 00:00+0200", "10-26 00:00+0100", "10-27 00:00+0100"}},
		{"an hour that is left out", "hour", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z", []string{"03-29 01:00+0100", "03-29 03:00+0200", "03-29 04:00+0200"}},
		{"an hour that comes twice", "hour", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", []string{"10-25 02:00+0200", "10-25 02:00+0100", "10-25 03:00+0100"}},
		{"clocks moved by half an hour", "hour", "Australia/Lord_Howe", "2026-04-05T11:00:00Z", "2026-04-05T14:00:00Z",
			[]string{"04-05 21:30+1030", "04-05 22:30+1030", "04-05 23:30+1030", "04-06 00:00+1030", "04-06 00:30+1030"}},
		{"a midnight that doesn't come", "day", "America/Sao_Paulo", "2018-11-03T03:00:00Z", "2018-11-05T02:00:00Z", []string{"11-03 00:00-0300", "11-04 01:00-0200", "11-05 00:00-0200"}},
		{"a midnight that comes twice", "day", "America/Havana", "2025-11-01T04:00:00Z", "2025-11-03T05:00:00Z", []string{"11-01 00:00-0400", "11-02 00:00-0400", "11-03 00:00-0500"}},
		{"a day that shows again", "day", "America/St_Johns", "2010-11-06T02:30:00Z", "2010-11-08T03:30:00Z", []string{"11-06 00:00-0230", "11-07 00:00-0230", "11-08 00:00-0330"}},
		{"a date that was skipped", "day", "Pacific/Apia", "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z", []string{"12-29 00:00-1000", "12-31 00:00+1400", "01-01 00:00+1400"}},
		{"months", "month", "Europe/Berlin", "2026-01-15T00:00:00Z", "2026-04-01T00:00:00Z", []string{"01-15 01:00+0100", "02-01 00:00+0100", "03-01 00:00+0100", "04-01 00:00+0200", "04-01 02:00+0200"}},
		{"from a December on", "month", "UTC", "2026-12-01T00:00:00Z", "2027-02-01T00:00:00Z", []string{"12-01 00:00+0000", "01-01 00:00+0000", "02-01 00:00+0000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bounds, err := usage.Cut(c.bucket, c.tz, moment(t, c.from), moment(t, c.to))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range bounds {
				got = append(got, b.Format("01-02 15:04-0700"))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("bounds %q, want %q", got, c.want)
			}
		})
	}
}

// Months are made of days and days of hours: what bounds a longer bucket bounds a shorter one, none is empty, and none is too long.
func TestBucketsLieInOneAnother(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/St_Johns", "America/Havana", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Africa/Monrovia", "Asia/Manila"}
	longest := map[string]time.Duration{"hour": time.Hour, "day": 49 * time.Hour, "month": 32 * 24 * time.Hour}
	rapid.Check(t, func(t *rapid.T) {
		tz := rapid.SampledFrom(zones).Draw(t, "tz")
		from := time.Unix(rapid.Int64Range(0, 2_000_000_000).Draw(t, "from"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		to := from.Add(time.Duration(rapid.Int64Range(1, int64(90*24*time.Hour)).Draw(t, "length")))
		var shorter []time.Time
		for _, bucket := range []string{"hour", "day", "month"} {
			bounds, err := usage.Cut(bucket, tz, from, to)
			if err != nil {
				t.Fatal(err)
			}
			if !bounds[0].Equal(from) || !bounds[len(bounds)-1].Equal(to) {
				t.Fatalf("%s: %v is not from %v to %v", bucket, bounds, from, to)
			}
			for i := range bounds[1:] {
				if length := bounds[i+1].Sub(bounds[i]); length <= 0 || length > longest[bucket] {
					t.Fatalf("%s %d from %v on lasts %v", bucket, i, bounds[i], length)
				}
			}
			for _, b := range bounds {
				if shorter != nil && !slices.ContainsFunc(shorter, b.Equal) {
					t.Fatalf("%s: the bound %v isn't one of %v", bucket, b, shorter)
				}
			}
			shorter = bounds
		}
	})
}

func TestWrongBuckets(t *testing.T) {
	h := open(t)
	week := usage.Query{From: at(0), To: at(7 * 24 * 3600)}
	with := func(change func(*usage.Query)) usage.Query {
		q := week
		change(&q)
		return q
	}
	for _, c := range []struct {
		name  string
		query usage.Query
		want  string
	}{
		{"unknown", with(func(q *usage.Query) { q.Bucket = "week" }), `bucket "week" is unknown (allowed: hour, day, month)`},
		{"no time zone", with(func(q *usage.Query) { q.Bucket, q.TZ = "day", "Europe/Berlln" }), `tz "Europe/Berlln" is no time zone of the IANA database, such as UTC or Europe/Berlin`},
		{"an offset", with(func(q *usage.Query) { q.Bucket, q.TZ = "day", "+02:00" }), `tz "+02:00" is no time zone`},
		{"a path", with(func(q *usage.Query) { q.Bucket, q.TZ = "day", "../../etc/passwd" }), `tz "../../etc/passwd" is no time zone`},
		{"the server's own", with(func(q *usage.Query) { q.Bucket, q.TZ = "day", "Local" }), `tz "Local" is no time zone`},
		{"a time zone for nothing", with(func(q *usage.Query) { q.TZ = "Europe/Berlin" }), `tz "Europe/Berlin" says whose hours, days and months are meant: it needs a bucket (allowed: hour, day, month)`},
		{"no beginning", usage.Query{To: at(1), Bucket: "day"}, `from is missing: buckets need a window with both ends`},
		{"no end", usage.Query{From: at(1), Bucket: "day"}, `to is missing: buckets need a window with both ends`},
		{"too early", usage.Query{From: time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), To: at(1), Bucket: "month"}, `is out of reach: buckets are within the years 1678 to 2261`},
		{"empty", usage.Query{From: at(1), To: at(1), Bucket: "day"}, `is not before to`},
		{"inverted", usage.Query{From: at(2), To: at(1)}, `from "2026-05-01T12:00:02Z" is not before to "2026-05-01T12:00:01Z"`},
		{"too many", usage.Query{From: at(-3.2e9), To: at(0), Bucket: "hour"}, `bucket "hour" makes more than 100000 rows: take longer buckets`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := h.ledger.Report(t.Context(), c.query)
			if _, ok := errors.AsType[*usage.QueryError](err); !ok || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	if _, err := h.ledger.Totals(t.Context(), usage.Query{Bucket: "day"}); !errors.As(err, new(*usage.QueryError)) {
		t.Errorf("totals with buckets: %v", err)
	}
}
