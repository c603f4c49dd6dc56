package status_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
)

var background = context.Background()

// got is what a broker has, decoded.
type got struct {
	status.Report
	at time.Time // when the broker took it
}

func received(t *testing.T, m *transporttest.Memory) []got {
	t.Helper()
	var all []got
	for _, d := range m.Letters() {
		r, err := status.Decode(d.Letter)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, got{r, d.Time})
	}
	return all
}

func statuses(all []got, id string) []status.Status {
	var list []status.Status
	for _, g := range all {
		if g.ResourceID == id {
			list = append(list, g.Status)
		}
	}
	return list
}

func newReporter(t *testing.T, transport bridge.Transport, o status.ReporterOptions) *status.Reporter {
	t.Helper()
	o.Provider = "p1"
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r, err := status.NewReporter(transport, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(background)
		cancel()
		r.Close(ctx)
	})
	return r
}

func report(t *testing.T, r *status.Reporter, id string, s status.Status) {
	t.Helper()
	if err := r.Report(background, status.Observation{ServiceType: "vm", ID: id, Status: s}); err != nil {
		t.Fatal(err)
	}
}

func closeReporter(t *testing.T, r *status.Reporter) {
	t.Helper()
	ctx, cancel := context.WithTimeout(background, time.Minute)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, have []status.Status, want ...status.Status) {
	t.Helper()
	if !slices.Equal(have, want) {
		t.Errorf("got %v, want %v", have, want)
	}
}

func TestAChangeOfAQuietResourceIsSentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{})
		began := time.Now()
		report(t, r, "1", status.Running)
		synctest.Wait()
		time.Sleep(time.Hour / 12)
		report(t, r, "1", status.Stopped)
		synctest.Wait()
		all := received(t, m)
		expect(t, statuses(all, "1"), status.Running, status.Stopped)
		if !all[0].at.Equal(began) || !all[1].at.Equal(time.Now()) {
			t.Errorf("sent at %v and %v, it is %v", all[0].at, all[1].at, time.Now())
		}
	})
}

func TestDebounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{})
		began := time.Now()
		for _, s := range []status.Status{status.Running, status.Stopping, status.Stopped, status.Paused} {
			report(t, r, "1", s)
			report(t, r, "2", status.Running) // the same over and over
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		all := received(t, m)
		expect(t, statuses(all, "1"), status.Running, status.Paused)
		expect(t, statuses(all, "2"), status.Running)
		if after := all[len(all)-1].at.Sub(began); after != 500*time.Millisecond {
			t.Errorf("the second report came after %v", after)
		}
	})
}

func TestFlap(t *testing.T) {
	for name, words := range map[string][]status.Status{
		"two":    {status.Running, status.Stopped},
		"three":  {status.Running, status.Stopped, status.Paused},
		"errors": {status.Running, status.Error},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := transporttest.New()
				r := newReporter(t, m, status.ReporterOptions{})
				began := time.Now()
				last := status.Status("")
				for i := range 50 {
					last = words[i%len(words)]
					report(t, r, "1", last)
					time.Sleep(100 * time.Millisecond)
				}
				time.Sleep(2 * time.Second)
				before, n := began, 0
				for i, g := range received(t, m) {
					if gap := g.at.Sub(before); gap > 2*time.Second {
						t.Errorf("nothing for %v before report %d", gap, i)
					}
					if i > 0 && g.at.Sub(before) < 500*time.Millisecond && !g.Status.Faulty() {
						t.Errorf("report %d came %v after the one before", i, g.at.Sub(before))
					}
					before, n = g.at, n+1
				}
				all := received(t, m)
				if all[len(all)-1].Status != last || time.Since(before) > 5*time.Second {
					t.Errorf("the last is %s, want %s", all[len(all)-1].Status, last)
				}
				t.Logf("50 changes, %d reports", n)
			})
		})
	}
}

func TestALongWindowIsBoundedByMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{Window: time.Minute, MaxWait: 3 * time.Second})
		report(t, r, "1", status.Running)
		synctest.Wait()
		time.Sleep(time.Second)
		changed := time.Now()
		report(t, r, "1", status.Stopped)
		time.Sleep(time.Second)
		report(t, r, "1", status.Paused)
		time.Sleep(time.Minute)
		all := received(t, m)
		expect(t, statuses(all, "1"), status.Running, status.Paused)
		if after := all[1].at.Sub(changed); after != 3*time.Second {
			t.Errorf("sent after %v", after)
		}
	})
}

func TestFinalAndErrorStatusesSkipTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{})
		for _, s := range []status.Status{status.Running, status.Error, status.Deleted} {
			report(t, r, "1", s)
			synctest.Wait()
		}
		expect(t, statuses(received(t, m), "1"), status.Running, status.Error, status.Deleted)
	})
}

func TestTheSameStatusTwiceInARowIsntSentTwiceButAResyncIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{Resync: time.Minute})
		report(t, r, "1", status.Running)
		report(t, r, "gone", status.Deleted)
		for range 50 {
			time.Sleep(time.Second)
			report(t, r, "1", status.Running)
		}
		expect(t, statuses(received(t, m), "1"), status.Running)
		time.Sleep(10*time.Minute - 50*time.Second)
		all := received(t, m)
		if n := len(statuses(all, "1")); n < 10 || n > 13 {
			t.Errorf("%d reports in ten minutes", n)
		}
		expect(t, statuses(all, "gone"), status.Deleted)
		if s := r.Stats(); s.Known != 1 || s.Repeated != 50 {
			t.Errorf("stats: %+v", s)
		}
		rising(t, all)
	})
}

// rising checks that ids differ and sequences rise for each resource.
func rising(t *testing.T, all []got) {
	t.Helper()
	last, ids := map[string]uint64{}, map[string]bool{}
	for _, g := range all {
		if g.Sequence <= last[g.ResourceID] {
			t.Errorf("%s: sequence %d after %d", g.ResourceID, g.Sequence, last[g.ResourceID])
		}
		if ids[g.ID] {
			t.Errorf("%s: id %s twice", g.ResourceID, g.ID)
		}
		last[g.ResourceID], ids[g.ID] = g.Sequence, true
	}
}

func TestSequencesRiseWhenTheClockDoesnt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{Now: func() time.Time { return time.Unix(1000, 0) }})
		for _, s := range []status.Status{status.Running, status.Error, status.Deleted} {
			report(t, r, "1", s)
			synctest.Wait()
		}
		all := received(t, m)
		rising(t, all)
		if all[0].Sequence != 1000e9 || all[2].Sequence != 1000e9+2 || !all[2].Time.Equal(time.Unix(1000, 0)) {
			t.Errorf("got %+v", all)
		}
	})
}

// flaky gives each publish to a function before the broker has it.
type flaky struct {
	*transporttest.Memory
	publish func(ctx context.Context, l bridge.Letter) error
}

func (f *flaky) Publish(ctx context.Context, l bridge.Letter) error {
	if err := f.publish(ctx, l); err != nil {
		return err
	}
	return f.Memory.Publish(ctx, l)
}

func TestRepeatsOfOneObservationHaveItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		f := &flaky{Memory: transporttest.New()}
		f.publish = func(_ context.Context, l bridge.Letter) error {
			if ids = append(ids, l.ID); len(ids) < 5 {
				return errors.New("not now")
			}
			return nil
		}
		r := newReporter(t, f, status.ReporterOptions{})
		report(t, r, "1", status.Running)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(ids) != 5 || len(slices.Compact(ids)) != 1 {
			t.Errorf("attempts: %v", ids)
		}
		if s := r.Stats(); s.Retried != 4 || s.Sent != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestALostAcknowledgementHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{})
		report(t, r, "1", status.Running)
		synctest.Wait()
		m.LoseAcks(1)
		report(t, r, "1", status.Error) // the broker has it, the reporter doesn't know
		synctest.Wait()
		report(t, r, "1", status.Running) // what was acknowledged last
		time.Sleep(time.Minute)
		expect(t, statuses(received(t, m), "1"), status.Running, status.Error, status.Running)
	})
}

func TestOneStuckResourceDoesntHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{Memory: transporttest.New()}
		f.publish = func(ctx context.Context, l bridge.Letter) error {
			if r, _ := status.Decode(l); r.ResourceID == "stuck" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		r := newReporter(t, f, status.ReporterOptions{Lanes: 2})
		report(t, r, "stuck", status.Running)
		synctest.Wait()
		for i := range 100 {
			report(t, r, fmt.Sprint(i), status.Running)
		}
		synctest.Wait()
		if n := len(f.Letters()); n != 100 {
			t.Errorf("%d of 100 came through", n)
		}
	})
}

func TestNothingIsLostWhileTheBrokerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{})
		m.Away(true)
		for i := range 1000 {
			report(t, r, fmt.Sprint(i), status.Provisioning)
		}
		time.Sleep(time.Minute)
		for i := range 1000 {
			report(t, r, fmt.Sprint(i), status.Running)
		}
		var away *status.AwayError
		if err := r.Health(background); !errors.As(err, &away) || away.Waiting != 1000 || !errors.Is(err, transporttest.ErrAway) {
			t.Errorf("health: %v", err)
		}
		m.Away(false)
		time.Sleep(time.Second)
		all := received(t, m)
		if len(all) != 1000 || r.Stats().Waiting != 0 {
			t.Errorf("%d came, %+v", len(all), r.Stats())
		}
		for _, g := range all {
			if g.Status != status.Running {
				t.Errorf("%s is %s", g.ResourceID, g.Status)
			}
		}
		if err := r.Health(background); err != nil {
			t.Errorf("health: %v", err)
		}
	})
}

func TestCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{Capacity: 2})
		m.Away(true)
		report(t, r, "1", status.Running)
		report(t, r, "2", status.Running)
		if err := r.Report(background, status.Observation{ServiceType: "vm", ID: "3", Status: status.Running}); !errors.Is(err, status.ErrFull) {
			t.Fatalf("got %v", err)
		}
		report(t, r, "2", status.Stopped) // has its place
		synctest.Wait()                   // until what was under way has failed
		m.Away(false)
		time.Sleep(time.Second)
		report(t, r, "3", status.Running)
		time.Sleep(time.Second)
		if s := r.Stats(); s.Known != 2 || s.Forgotten != 1 {
			t.Errorf("stats: %+v", s)
		}
		if n := len(received(t, m)); n != 3 {
			t.Errorf("%d reports", n)
		}
	})
}

func TestCloseSendsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{Window: time.Hour, MaxWait: time.Hour})
		report(t, r, "1", status.Running)
		synctest.Wait()
		report(t, r, "1", status.Stopped)
		closeReporter(t, r)
		expect(t, statuses(received(t, m), "1"), status.Running, status.Stopped)
		if err := r.Report(background, status.Observation{ServiceType: "vm", ID: "1", Status: status.Running}); !errors.Is(err, status.ErrReporterClosed) {
			t.Errorf("report: %v", err)
		}
		if err := r.Close(background); !errors.Is(err, status.ErrReporterClosed) {
			t.Errorf("close: %v", err)
		}
	})
}

func TestCloseIsBoundedAndSaysWhatWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		m.Away(true)
		r := newReporter(t, m, status.ReporterOptions{})
		report(t, r, "1", status.Running)
		report(t, r, "2", status.Running)
		ctx, cancel := context.WithTimeout(background, 5*time.Second)
		defer cancel()
		var unsent *status.UnsentError
		if err := r.Close(ctx); !errors.As(err, &unsent) || unsent.Count != 2 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestFireAndForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		r := newReporter(t, m, status.ReporterOptions{FireAndForget: []string{"network"}})
		if err := r.Report(background, status.Observation{ServiceType: "network", ID: "n", Status: status.Ready}); err != nil {
			t.Fatal(err)
		}
		report(t, r, "1", status.Running)
		synctest.Wait()
		if sent := m.Sent(); len(sent) != 1 || sent[0].Subject != "dcm.network" {
			t.Errorf("sent without acknowledgement: %+v", sent)
		}
	})
}

func TestReportsThatTheBrokerWillNeverTakeAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := transporttest.New()
		m.MaxSize(10)
		r := newReporter(t, m, status.ReporterOptions{})
		report(t, r, "1", status.Running)
		time.Sleep(time.Minute)
		if s := r.Stats(); s.Rejected != 1 || s.Waiting != 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestReporterRefuses(t *testing.T) {
	for name, o := range map[string]status.ReporterOptions{
		"Provider":      {Provider: "a b"},
		"Window":        {Provider: "p", Window: -1},
		"MaxWait":       {Provider: "p", MaxWait: -1},
		"Capacity":      {Provider: "p", Capacity: -1},
		"Lanes":         {Provider: "p", Lanes: -1},
		"FireAndForget": {Provider: "p", FireAndForget: []string{"a.b"}},
	} {
		_, err := status.NewReporter(transporttest.New(), o)
		var wrong *bridge.OptionError
		if !errors.As(err, &wrong) || wrong.Option != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := status.NewReporter(nil, status.ReporterOptions{Provider: "p"}); err == nil {
		t.Error("made without a transport")
	}
	r := newReporter(t, transporttest.New(), status.ReporterOptions{})
	var wrong *status.ObservationError
	if err := r.Report(background, status.Observation{ServiceType: "vm", ID: "1", Status: "BURNING"}); !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	if err := r.Report(ctx, status.Observation{ServiceType: "vm", ID: "1", Status: status.Running}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
