package status_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// overNATS has a site receive over an embedded NATS server.
func (s *site) overNATS() *server.Server {
	s.t.Helper()
	broker := s.broker(server.Options{DontListen: true})
	transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{InProcess: broker, Logger: quiet, AckWait: 200 * time.Millisecond})
	s.must(err)
	s.transport = transport
	s.t.Cleanup(func() {
		s.stop()
		if err := transport.Close(context.Background()); err != nil {
			s.t.Error(err)
		}
	})
	return broker
}

// startOver starts a site that receives over broker, and returns when the stream is there, to which providers may publish.
func (s *site) startOver(broker *server.Server) {
	s.t.Helper()
	s.start()
	conn, err := nats.Connect("", nats.InProcessServer(broker))
	s.must(err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	s.must(err)
	s.until("the stream is there", func() bool {
		_, err := js.Stream(s.t.Context(), "dcm-status")
		return err == nil
	})
}

// broker starts an embedded NATS server.
func (s *site) broker(o server.Options) *server.Server {
	s.t.Helper()
	o.JetStream, o.StoreDir, o.NoLog, o.NoSigs = true, s.t.TempDir(), true, true
	broker, err := server.NewServer(&o)
	s.must(err)
	broker.Start()
	s.t.Cleanup(func() {
		broker.Shutdown()
		broker.WaitForShutdown()
	})
	if !broker.ReadyForConnections(10 * time.Second) {
		s.t.Fatal("the NATS server doesn't start")
	}
	return broker
}

// counted names the counters that have risen.
func counted(before, after status.IngestStats) string {
	var all []string
	add := func(name string, n uint64) {
		switch {
		case n == 1:
			all = append(all, name)
		case n > 1:
			all = append(all, fmt.Sprintf("%s %d", name, n))
		}
	}
	add("applied", after.Applied-before.Applied)
	add("refused", after.Refused-before.Refused)
	add("held", after.Held-before.Held)
	add("stale", after.Stale-before.Stale)
	add("duplicate", after.Duplicate-before.Duplicate)
	for _, reason := range slices.Sorted(maps.Keys(after.Rejected)) {
		add("rejected "+string(reason), after.Rejected[reason]-before.Rejected[reason])
	}
	return strings.Join(all, ", ")
}

// body makes a letter of an event as JSON.
func body(text string) bridge.Letter {
	return bridge.Letter{Subject: "dcm.vm", Data: []byte(text)}
}

const head = `"specversion":"1.0","id":"e1","source":"dcm/providers/east","type":"dcm.status.vm"`

func TestTheTableOfTheContract(t *testing.T) {
	s := newSite(t)
	s.startOver(s.overNATS())
	for _, id := range []string{"v", "moving", "gone"} {
		s.vm(id)
	}
	s.fire("gone", vm.DestroyRequested)
	s.publish(s.say(100, "v", "RUNNING"))
	west := told{id: "w1", source: "dcm/providers/west", kind: "vm", resource: "v", status: "STOPPED", at: s.clock.now().Add(time.Second)}.letter()
	strange := told{id: "s1", source: "dcm/providers/east", kind: "printer", resource: "p", status: "RUNNING", at: s.clock.now()}.letter()
	second := s.clock.now()
	same := func(id, word string) bridge.Letter { // whole seconds, no sequence: as real providers send
		return told{id: id, source: "kubevirt.localhost", kind: "vm", resource: "moving", status: word, at: second}.letter()
	}
	again := s.say(300, "v", "RUNNING")
	again2 := again
	again2.ID = "" // the broker doesn't know it for a repeat
	again2.Header = nil
	binary := bridge.Letter{
		Subject: "dcm.vm", ID: "b1", Data: []byte(`{"id":"v","status":"PAUSED"}`),
		Header: map[string][]string{
			"CE-SpecVersion": {"1.0"}, "ce-id": {"b1"}, "Ce-Source": {"dcm/providers/ea%73t"}, "ce-type": {"dcm.status.vm"},
			"ce-time": {s.clock.now().Add(400 * time.Millisecond).Format(time.RFC3339Nano)}, "content-type": {"application/json"},
		},
	}
	rows := []struct {
		input   string
		letters []bridge.Letter
		counted string
		id      string // of the VM to look at
		shown   string // its own state and what is observed of it
		more    func() string
	}{
		{"not JSON", letters(body(`{"specversion":`)), "rejected not_json", "v", "running RUNNING", nil},
		{"a batch", letters(body(`[{` + head + `,"data":{"id":"v","status":"STOPPED"}}]`)), "rejected batch", "v", "running RUNNING", nil},
		{"no specversion", letters(body(`{"id":"e1","source":"s","type":"dcm.status.vm","data":{"id":"v","status":"STOPPED"}}`)), "rejected specversion", "v", "running RUNNING", nil},
		{"specversion 0.3", letters(body(`{"specversion":"0.3","id":"e1","source":"s","type":"dcm.status.vm","data":{"id":"v","status":"STOPPED"}}`)), "rejected specversion", "v", "running RUNNING", nil},
		{"no id", letters(body(`{"specversion":"1.0","source":"s","type":"dcm.status.vm","data":{"id":"v","status":"STOPPED"}}`)), "rejected missing_id", "v", "running RUNNING", nil},
		{"no source", letters(body(`{"specversion":"1.0","id":"e1","type":"dcm.status.vm","data":{"id":"v","status":"STOPPED"}}`)), "rejected missing_source", "v", "running RUNNING", nil},
		{"no type", letters(body(`{"specversion":"1.0","id":"e1","source":"s","data":{"id":"v","status":"STOPPED"}}`)), "rejected missing_type", "v", "running RUNNING", nil},
		{"type and subject disagree", letters(bridge.Letter{Subject: "dcm.container", Data: []byte(`{` + head + `,"data":{"id":"v","status":"STOPPED"}}`)}), "rejected wrong_subject", "v", "running RUNNING", nil},
		{"an unknown status", letters(body(`{` + head + `,"data":{"id":"v","status":"DANCING"}}`)), "rejected unknown_status", "v", "running RUNNING", nil},
		{"no data id", letters(body(`{` + head + `,"data":{"status":"STOPPED"}}`)), "rejected no_data_id", "v", "running RUNNING", nil},
		{"data not an object", letters(body(`{` + head + `,"data":"STOPPED"}`)), "rejected data_not_object", "v", "running RUNNING", nil},
		{"no data", letters(body(`{` + head + `}`)), "rejected data_not_object", "v", "running RUNNING", nil},
		{"wrong types", letters(body(`{` + head + `,"data":{"id":"v","status":"STOPPED","message":7}}`)), "rejected bad_data", "v", "running RUNNING", nil},
		{"wrong type of the timestamp (schema)", letters(body(`{` + head + `,"data":{"id":"v","status":"STOPPED","timestamp":7}}`)), "rejected bad_data", "v", "running RUNNING", nil},
		{"specversion of another type", letters(body(`{"specversion":1.0,"id":"e1","source":"s","type":"dcm.status.vm","data":{"id":"v","status":"STOPPED"}}`)), "rejected specversion", "v", "running RUNNING", nil},
		{"an id of another type", letters(body(`{"specversion":"1.0","id":{},"source":"s","type":"dcm.status.vm","data":{"id":"v","status":"STOPPED"}}`)), "rejected bad_attribute", "v", "running RUNNING", nil},
		{"a data id of another type", letters(body(`{` + head + `,"data":{"id":7,"status":"STOPPED"}}`)), "rejected bad_data", "v", "running RUNNING", nil},
		{"a status of another type", letters(body(`{` + head + `,"data":{"id":"v","status":["STOPPED"]}}`)), "rejected bad_data", "v", "running RUNNING", nil},
		{"an empty body", letters(body("")), "rejected not_json", "v", "running RUNNING", nil},
		{"a batch, by its content type", letters(bridge.Letter{Subject: "dcm.vm", Header: map[string][]string{"Content-Type": {"application/cloudevents-batch+json"}}, Data: []byte(`[]`)}), "rejected batch", "v", "running RUNNING", nil},
		{"binary mode, specversion 0.3", letters(bridge.Letter{Subject: "dcm.vm", Header: map[string][]string{"ce-specversion": {"0.3"}, "ce-id": {"x"}}, Data: []byte(`{"id":"v","status":"STOPPED"}`)}), "rejected specversion", "v", "running RUNNING", nil},
		{"binary mode, no source", letters(bridge.Letter{Subject: "dcm.vm", Header: map[string][]string{"ce-specversion": {"1.0"}, "ce-id": {"x"}, "ce-type": {"dcm.status.vm"}}, Data: []byte(`{"id":"v","status":"STOPPED"}`)}), "rejected missing_source", "v", "running RUNNING", nil},
		{"a number that nobody can count to", letters(body(`{` + head + `,"data":{"id":"v","status":"STOPPED","timestamp":1e999999999}}`)), "rejected bad_attribute", "v", "running RUNNING", nil},
		{"lists within lists", letters(body(`{` + head + `,"data":{"id":"v","status":"STOPPED","more":` + strings.Repeat("[", 12_000) + strings.Repeat("]", 12_000) + `}}`)), "rejected not_json", "v", "running RUNNING", nil},
		{"over 64 KiB", letters(body(`{` + head + `,"data":{"id":"v","status":"STOPPED","message":"` + strings.Repeat("x", 64<<10) + `"}}`)), "rejected too_large", "v", "running RUNNING", nil},
		{"an unknown service type", letters(strange), "rejected unknown_type", "v", "running RUNNING", nil},
		{"a year ahead of time", letters(s.say(366*24*3600*1000, "v", "STOPPED")), "rejected ahead_of_time", "v", "running RUNNING", nil},
		{"older, by sequence", letters(s.say(50, "v", "STOPPED")), "stale", "v", "running RUNNING", nil},
		{"the same event again, by another message", letters(again, again2), "applied, duplicate", "v", "running RUNNING", nil},
		{"binary mode, headers in any case, percent-encoded", letters(binary), "applied", "v", "paused PAUSED", nil},
		{"a JSON body without a header, KubeVirt's phase", letters(body(`{"specversion":"1.0","id":"k1","source":"kubevirt.localhost","type":"dcm.status.vm","time":"2026-05-01T11:59:00Z","data":{"id":"moving","status":"Scheduling"}}`)), "applied", "moving", "stopped PROVISIONING", nil},
		{"three within one second: the stream decides", letters(same("k2", "Running"), same("k3", "FAILED"), same("k4", "PAUSED")), "applied 3", "moving", "paused PAUSED", nil},
		{"a resource that isn't there", letters(s.say(1, "late", "RUNNING")), "held", "late", "none none", nil},
		{"… and is made later", nil, "applied", "late", "running RUNNING", func() string { s.vm("late"); return "" }},
		{"a provider whose resource it isn't", letters(west), "rejected wrong_provider", "v", "paused PAUSED", func() string {
			return fmt.Sprint(s.events("status.*.wrong_provider"), s.activeAlerts())
		}},
		{"a trigger that the machine refuses", letters(s.say(1, "gone", "RUNNING")), "applied, refused", "gone", "destroyed RUNNING", func() string {
			s.until("the refusal is recorded", func() bool { return s.refusals.Stats().Recorded > 0 })
			return fmt.Sprint(s.activeAlerts())
		}},
	}
	t.Logf("%-52s %-28s %s", "INPUT", "COUNTED", "THE VM: OWN STATE, OBSERVED STATUS")
	for n, row := range rows {
		before := s.ingest.Stats()
		for m, l := range row.letters {
			if l.ID == "" {
				row.letters[m].ID = fmt.Sprintf("m-%d-%d", n, m)
			}
		}
		s.publish(row.letters...)
		more := ""
		if row.more != nil {
			more = row.more()
		}
		s.until(row.input+": "+row.counted, func() bool { return done(s.ingest.Stats())-done(before) >= max(uint64(len(row.letters)), 1) })
		got := counted(before, s.ingest.Stats())
		if got != row.counted {
			t.Errorf("%s: counted %q, want %q", row.input, got, row.counted)
		}
		shown := fmt.Sprintf("%s %s", s.state("vm", row.id), s.seen("vm", row.id))
		if shown != row.shown {
			t.Errorf("%s: %s shows %q, want %q", row.input, row.id, shown, row.shown)
		}
		t.Logf("%-52s %-28s %s %s", row.input, got, shown, more)
	}
	s.wantQuarantine()
	if got := s.activeAlerts(); !slices.Contains(got, "wrong_provider v") || !slices.Contains(got, "zombie gone") {
		t.Errorf("alerts %q", got)
	}
	s.databaseDown()
	s.goesOn()
}

func letters(all ...bridge.Letter) []bridge.Letter { return all }

// wantQuarantine: what was rejected is there as it came, once, with its reason.
func (s *site) wantQuarantine() {
	s.t.Helper()
	page, _, err := s.ingest.Quarantine(s.t.Context(), status.QuarantineQuery{})
	s.must(err)
	n := uint64(0)
	for _, c := range s.ingest.Stats().Rejected {
		n += c
	}
	if uint64(len(page)) != n {
		s.t.Errorf("%d messages in quarantine, %d were rejected", len(page), n)
	}
	first, err := s.ingest.FindQuarantined(s.t.Context(), page[0].ID)
	if err != nil || string(first.Data) != `{"specversion":` || first.Subject != "dcm.vm" || first.Reason != status.NotJSON || first.Seq == 0 {
		s.t.Errorf("the first is %+v, %v", first, err)
	}
}

// databaseDown: a report that can't be stored comes again, and nothing is lost or reordered.
func (s *site) databaseDown() {
	s.t.Helper()
	before := s.ingest.Stats()
	held := make(chan struct{})
	release := make(chan struct{})
	ended := make(chan error)
	go func() { // the writer is busy
		ended <- s.store.Writer().Do(context.Background(), func(*journal.Tx) error {
			close(held)
			<-release
			return errors.New("nothing is written")
		})
	}()
	<-held
	s.must(s.transport.Publish(s.t.Context(), s.say(500, "v", "RUNNING")))
	s.must(s.transport.Publish(s.t.Context(), s.say(600, "v", "STOPPED")))
	if got := s.seen("vm", "v"); got != "PAUSED" {
		s.t.Errorf("while the database is busy %s is observed", got)
	}
	close(release)
	<-ended
	s.until("the reports are stored", func() bool { return done(s.ingest.Stats())-done(before) >= 2 })
	shown := fmt.Sprintf("%s %s", s.state("vm", "v"), s.seen("vm", "v"))
	if shown != "stopped STOPPED" || counted(before, s.ingest.Stats()) != "applied 2" {
		s.t.Errorf("after the database was busy: %s, %s", shown, counted(before, s.ingest.Stats()))
	}
	s.t.Logf("%-52s %-28s %s", "the database is busy", "applied 2", shown)
}

// goesOn: a server that was stopped takes what came meanwhile.
func (s *site) goesOn() {
	s.t.Helper()
	s.stop()
	s.must(s.transport.Publish(s.t.Context(), s.say(700, "v", "RUNNING")))
	s.must(s.transport.Publish(s.t.Context(), s.say(800, "v", "PAUSED")))
	s.start()
	s.until("what came meanwhile is stored", func() bool { return done(s.ingest.Stats()) >= 2 })
	shown := fmt.Sprintf("%s %s", s.state("vm", "v"), s.seen("vm", "v"))
	if shown != "paused PAUSED" || counted(status.IngestStats{}, s.ingest.Stats()) != "applied 2" {
		s.t.Errorf("after a restart: %s, %s", shown, counted(status.IngestStats{}, s.ingest.Stats()))
	}
	s.t.Logf("%-52s %-28s %s", "the server was restarted", "applied 2", shown)
}

var _ = bus.ErrOutage

// TestABrokerThatCantBeUsed: server and provider start all the same, say in their health what is wrong, and go on once it is right.
func TestABrokerThatCantBeUsed(t *testing.T) {
	foreign := jetstream.StreamConfig{Name: "dcm-status", Subjects: []string{"something.*"}}
	for name, c := range map[string]struct {
		password string
		stream   *jetstream.StreamConfig // there before
		says     string
	}{
		"wrong password":               {"guess", nil, "Authorization Violation"},
		"a stream with other subjects": {"secret", &foreign, "subjects is something.*, must be dcm.*"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			broker := s.broker(server.Options{Host: "127.0.0.1", Port: -1, Username: "cloudbus", Password: "secret"})
			login := func(password string) *natsbridge.Transport {
				url := strings.Replace(broker.ClientURL(), "nats://", "nats://cloudbus:"+password+"@", 1)
				transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{URL: url, Logger: quiet})
				s.must(err)
				return transport
			}
			admin := login("secret")
			defer func() { s.must(admin.Close(context.Background())) }()
			s.must(admin.Ready(t.Context()))
			js, err := jetstream.New(admin.Conn())
			s.must(err)
			if c.stream != nil {
				_, err := js.CreateStream(t.Context(), *c.stream)
				s.must(err)
			}
			transport := login(c.password)
			s.transport = transport
			defer func() { s.must(transport.Close(context.Background())) }()
			s.start()
			defer s.stop()
			s.vm("a")
			reporter, err := status.NewReporter(transport, status.ReporterOptions{Provider: "east", Logger: quiet})
			s.must(err)
			ended, end := context.WithCancel(t.Context())
			end()
			defer func() { _ = reporter.Close(ended) }() // what it can't send is nothing to wait for
			s.must(reporter.Report(t.Context(), status.Observation{ServiceType: "vm", ID: "a", Status: status.Running, Time: s.clock.now()}))
			for who, health := range map[string]func(context.Context) error{"the server": s.ingest.Health, "the provider": reporter.Health} {
				if who == "the provider" && c.stream != nil {
					continue // he publishes to whatever stream has his subject
				}
				s.until(who+" says what is wrong", func() bool {
					err := health(t.Context())
					return err != nil && strings.Contains(err.Error(), c.says)
				})
				if err := health(t.Context()); strings.Contains(err.Error(), "guess") || strings.Contains(err.Error(), "secret") {
					t.Errorf("%s tells the password: %v", who, err)
				}
			}
			if c.stream == nil {
				return
			}
			s.must(js.DeleteStream(t.Context(), c.stream.Name))
			s.until("the report is taken", func() bool { return s.state("vm", "a") == vm.Running && s.ingest.Health(t.Context()) == nil })
		})
	}
}
