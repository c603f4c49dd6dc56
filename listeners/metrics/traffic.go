package metrics

import (
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cloudbus-go/cloudbus/bus"
)

// traffic tells what a bus, its journal and the writer are doing.
type traffic struct {
	bus *bus.Bus

	mu     sync.Mutex
	groups map[groupKey]*group
}

func newTraffic(b *bus.Bus) *traffic { return &traffic{bus: b, groups: map[groupKey]*group{}} }

func busDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("cloudbus_"+name, help, labels, nil)
}

var (
	publishedDesc = busDesc("bus_published_total", "Live events that were published.")
	clientsDesc   = busDesc("bus_clients", "Clients of the bus.")
	journalUpDesc = busDesc("journal_up", "1 while the journal can be read, else 0.")
	eventsDesc    = busDesc("journal_events_total", "Recorded events there have ever been: the number of the newest.")
	unshownDesc   = busDesc("journal_unshown_events", "Recorded events that live subscriptions have not been offered yet.")
	commitsDesc   = busDesc("writer_commits_total", "Transactions that the writer has committed.")
	membersDesc   = busDesc("writer_members_total", "Units of work in them.")
	failuresDesc  = busDesc("writer_failures_total", "Units of work that ended in an error, such as a veto, or a caller who stopped waiting.")
	waitingDesc   = busDesc("writer_waiting_members", "Units of work that wait for their turn.", "priority")
)

// Describe sends what Collect may send.
func (t *traffic) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		publishedDesc, clientsDesc, journalUpDesc, eventsDesc, unshownDesc, commitsDesc, membersDesc, failuresDesc, waitingDesc, subscriptionsDesc,
	} {
		out <- d
	}
	for _, f := range groupCounters {
		out <- f.desc
	}
	for _, f := range groupGauges {
		out <- f.desc
	}
}

// Collect sends the numbers of one inspection.
func (t *traffic) Collect(out chan<- prometheus.Metric) {
	for _, m := range t.numbers() {
		out <- m
	}
}

func (t *traffic) numbers() []prometheus.Metric {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.bus.Inspect()
	p := page{}
	p.counter(publishedDesc, i.Published)
	p.gauge(clientsDesc, float64(len(i.Clients)))
	if j := t.bus.Journal(); j != nil {
		p.journal(i)
		if r, ok := j.(bus.WriterReporter); ok {
			p.writer(r.WriterStats())
		}
	}
	t.sort(i.Subscriptions)
	for key, g := range t.groups {
		g.print(&p, key)
	}
	return p
}

// page is the metrics of a scrape.
type page []prometheus.Metric

func (p *page) counter(d *prometheus.Desc, n uint64, labels ...string) {
	*p = append(*p, prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...))
}

func (p *page) gauge(d *prometheus.Desc, x float64, labels ...string) {
	*p = append(*p, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, x, labels...))
}

func (p *page) journal(i bus.Inspection) {
	up := 1.0
	if i.JournalErr != nil {
		up = 0
	}
	p.gauge(journalUpDesc, up)
	p.counter(eventsDesc, i.JournalLast)
	p.gauge(unshownDesc, float64(i.JournalLast-min(i.JournalShown, i.JournalLast)))
}

func (p *page) writer(s bus.WriterStats) {
	p.counter(commitsDesc, s.Commits)
	p.counter(membersDesc, s.Members)
	p.counter(failuresDesc, s.Failed)
	p.gauge(waitingDesc, float64(s.Waiting), "foreground")
	p.gauge(waitingDesc, float64(s.WaitingBackground), "background")
}

// sort puts subscriptions into their groups.
func (t *traffic) sort(all []bus.Info) {
	for _, g := range t.groups {
		g.begin()
	}
	for i := range all {
		s := &all[i]
		key := groupKey{s.Client, nameOf(s), s.Kind}
		g := t.groups[key]
		if g == nil {
			g = &group{}
			t.groups[key] = g
			g.begin()
		}
		g.add(s)
	}
	for _, g := range t.groups {
		g.end()
	}
}

// nameOf is the name that the program gave a subscription, "" if the bus counted it: client/7.
func nameOf(s *bus.Info) string {
	number, ok := strings.CutPrefix(s.Name, s.Client+"/")
	if _, err := strconv.ParseUint(number, 10, 64); ok && err == nil {
		return ""
	}
	return s.Name
}

var _ prometheus.Collector = (*traffic)(nil)
