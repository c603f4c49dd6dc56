package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// usage compares reports over a ledger with the bare sum that they come down to, and measures a reconciliation.
func (b *bench) usage() (err error) {
	dir, err := os.MkdirTemp("", "cloudbus-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := b.reports(dir); err != nil {
		return err
	}
	return b.reconciliation(dir)
}

// may is the month in which all intervals of the ledger begin; none lasts longer than two days. Of twenty one is open.
var (
	may     = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	june    = may.AddDate(0, 1, 0)
	midJune = june.AddDate(0, 0, 14)
)

// insertIntervals makes up intervals of 50 tenants and 100,000 VMs, at random times, as far as multiplying by large primes is random.
const insertIntervals = `WITH RECURSIVE n(i) AS (VALUES (CAST(? AS INTEGER)) UNION ALL SELECT i + 1 FROM n WHERE i < ?),
	r AS (SELECT i, CAST(? AS INTEGER) + (i * 2654435761 % 2678400) * 1000000000 + i % 1000000000 AS begun, (i * 40503 % 172800) * 1000000000 + i % 1000 AS length FROM n)
	INSERT INTO usage_intervals (opened_seq, meter, tenant, kind, resource_id, cpus, memory_mib, gib, units, started_at, ended_at, closed_seq)
	SELECT i, CASE i % 2 WHEN 0 THEN 'vm.allocated' ELSE 'vm.running' END, 'tenant-' || (i / 7 % 50), 'vm', 'vm-' || (i % 100000), 1 + i % 4, 1024 * (1 + i % 4), 0, 0,
	begun, CASE i % 20 WHEN 0 THEN 0 ELSE begun + length END, CASE i % 20 WHEN 0 THEN 0 ELSE i + 1 END FROM r`

// bareSum is what a report comes down to: no exactness beyond 292 years, no open intervals told apart, no corrections.
const bareSum = `SELECT tenant, meter, SUM(MIN(CASE closed_seq WHEN 0 THEN ? ELSE ended_at END, ?) - MAX(started_at, ?)) FROM usage_intervals
	WHERE started_at < ? AND (closed_seq = 0 OR ended_at > ?) GROUP BY tenant, meter`

// office is a server with a ledger.
type office struct {
	fleet   *fleet
	plugins *plugins.Manager
	ledger  *usage.Plugin
	http    *httptest.Server
	db      *sql.DB // for reading
}

func openOffice(path string) (*office, error) {
	f, err := openFleet(path)
	if err != nil {
		return nil, err
	}
	o := &office{fleet: f, ledger: usage.New(usage.Options{Engine: f.engine})}
	o.plugins, err = plugins.NewManager(plugins.Options{Bus: f.bus, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return midJune }})
	if err == nil {
		err = o.plugins.Add(o.ledger, plugins.Required())
	}
	if err == nil {
		err = o.plugins.Start(f.ctx)
	}
	if err == nil {
		o.db, err = f.store.Writer().DB().DB()
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	o.http = httptest.NewServer(o.plugins.Handler())
	return o, nil
}

func (o *office) close() error {
	o.http.Close()
	return errors.Join(o.plugins.Close(context.Background()), o.fleet.close())
}

func (b *bench) reports(dir string) (err error) {
	b.say(fmt.Sprintf("a ledger of %d intervals", b.intervals))
	o, err := openOffice(filepath.Join(dir, "usage.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	for first := 1; first <= b.intervals; first += 20_000 {
		last := min(first+19_999, b.intervals)
		err := o.fleet.store.Writer().Do(o.fleet.ctx, func(tx *journal.Tx) error {
			return tx.DB().Exec(insertIntervals, first, last, may.UnixNano()).Error
		})
		if err != nil {
			return err
		}
	}
	whole := usage.Query{From: may.Add(24 * time.Hour), To: june.Add(-24 * time.Hour), By: []string{usage.ByTenant, usage.ByMeter}}
	days := whole
	days.Bucket, days.TZ = usage.ByDay, "Europe/Berlin"
	late := whole
	late.From, late.To = june.Add(24*time.Hour), june.Add(48*time.Hour)
	for _, c := range []struct {
		name string
		ours func() error
		like usage.Query
	}{
		{"by tenant and meter", func() error { return o.report(whole) }, whole},
		{"by tenant, meter and day of a time zone", func() error { return o.report(days) }, whole},
		{"by tenant, meter and day, as JSON over HTTP", func() error { return o.get(days) }, whole},
		{"of the last day, when nearly all was over", func() error { return o.report(late) }, late},
	} {
		err := b.hold(contest{name: fmt.Sprintf("report of %d intervals, %s", b.intervals, c.name), unit: "ms", contenders: []contender{
			{name: "ours", run: func() ([]float64, error) { return milliseconds(c.ours) }},
			{name: "bare SQL sum by tenant and meter", run: func() ([]float64, error) { return milliseconds(func() error { return o.bare(c.like) }) }, bars: []bar{atLeast(0.3)}},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

func milliseconds(do func() error) ([]float64, error) {
	begun := time.Now()
	err := do()
	return []float64{time.Since(begun).Seconds() * 1e3}, err
}

func (o *office) report(q usage.Query) error {
	r, err := o.ledger.Report(o.fleet.ctx, q)
	if err == nil && len(r.Rows) == 0 {
		err = errors.New("the report is empty")
	}
	return err
}

func (o *office) get(q usage.Query) (err error) {
	address := o.http.URL + "/v1/usage?" + url.Values{
		"from": {q.From.Format(time.RFC3339)}, "to": {q.To.Format(time.RFC3339)}, "by": {"tenant,meter"}, "bucket": {q.Bucket}, "tz": {q.TZ},
	}.Encode()
	answer, err := http.Get(address) //nolint:noctx // it's our own, and the turn is limited
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func (o *office) bare(q usage.Query) (err error) {
	from, to := q.From.UnixNano(), q.To.UnixNano()
	rows, err := o.db.QueryContext(o.fleet.ctx, bareSum, midJune.UnixNano(), to, from, to, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	n := 0
	for ; rows.Next(); n++ {
		var tenant, meter string
		var ns int64
		if err := rows.Scan(&tenant, &meter, &ns); err != nil {
			return err
		}
	}
	if n == 0 {
		return errors.New("the sum is empty")
	}
	return rows.Err()
}

// reconciliation measures the comparison of a ledger with as many live resources, and with their journal.
func (b *bench) reconciliation(dir string) (err error) {
	path := filepath.Join(dir, "reconcile.db")
	b.say(fmt.Sprintf("a database of %d resources and their ledger", b.resources))
	o, err := openOffice(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	for done := 0; done < b.resources; {
		batch := make([]vm.VM, min(1000, b.resources-done))
		for i := range batch {
			batch[i] = newVM(idleID(done + i))
		}
		if _, err := o.fleet.vms.CreateBatch(o.fleet.ctx, batch); err != nil {
			return err
		}
		done += len(batch)
	}
	if err := o.fleet.bus.Flush(o.fleet.ctx); err != nil {
		return err
	}
	return b.hold(contest{name: fmt.Sprintf("reconciliation of %d resources", b.resources), unit: "ms", rounds: 3, contenders: []contender{
		{name: "ours", run: func() ([]float64, error) {
			return milliseconds(func() error {
				r, err := o.ledger.Reconcile(o.fleet.ctx)
				if err == nil && (r.Faults+r.Pending > 0 || r.Resources != int64(b.resources)) {
					err = fmt.Errorf("%d faults and %d pending in %d resources", r.Faults, r.Pending, r.Resources)
				}
				return err
			})
		}},
	}})
}
