package journal_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

func TestRetentionWaitsForAnUnclaimedCursorAndWarnsBefore(t *testing.T) {
	var warned []string
	k := openKept(t, sqlite.Options{})
	attach(t, k.Journal)
	policy := journal.Retention{Age: day, OnUnclaimed: func(c journal.Claim) { warned = append(warned, c.Name) }}
	k.append(5)
	k.cursor("gone", 2)
	check := func(first uint64, warnings int, holds bool) {
		t.Helper()
		k.retain(policy, first)
		if len(warned) != warnings {
			t.Errorf("warned of %q, want %d", warned, warnings)
		}
		if all, err := k.Claims(t.Context()); err != nil || len(all) != 1 || all[0].Holds != holds || all[0].Behind != 3 {
			t.Errorf("claims %+v (%v), want one that holds: %v", all, err, holds)
		}
	}
	k.pass(23*day - 1)
	check(3, 0, true)
	k.pass(1)
	check(3, 1, true)
	k.pass(6 * day)
	check(3, 1, true)
	k.pass(day)
	check(6, 1, false)
}

func TestRetentionGivesItsNoticeAfterADowntimeToo(t *testing.T) {
	k := openKept(t, sqlite.Options{})
	attach(t, k.Journal)
	k.append(5)
	k.cursor("gone", 2)
	k.pass(300 * day)
	k.retain(journal.Retention{Age: day}, 3)
	k.pass(7*day - 1)
	k.retain(journal.Retention{Age: day}, 3)
	k.pass(1)
	k.retain(journal.Retention{Age: day}, 6)
}

func TestRetentionBeginsAnewWhenACursorIsClaimedAgain(t *testing.T) {
	warnings := 0
	policy := journal.Retention{Age: day, OnUnclaimed: func(journal.Claim) { warnings++ }}
	k := openKept(t, sqlite.Options{})
	attach(t, k.Journal)
	k.append(5)
	k.cursor("back", 2)
	k.pass(29 * day)
	k.retain(policy, 3)
	k.cursor("back", 3)
	k.pass(23*day - 1)
	k.retain(policy, 4)
	if warnings != 1 {
		t.Fatalf("%d warnings, want 1", warnings)
	}
	k.pass(1)
	k.retain(policy, 4)
	if warnings != 2 {
		t.Errorf("%d warnings, want 2", warnings)
	}
	k.pass(7 * day)
	k.retain(policy, 6)
}

func TestRetentionNeverGivesUpASubscriptionThatRuns(t *testing.T) {
	k := openKept(t, sqlite.Options{})
	detach, err := k.Attach(bus.Attachment{
		Prepare: func(context.Context, bus.Payload, ...bus.Stamp) (bus.Record, error) {
			return bus.Record{Header: bus.Header{ID: bus.NewID(k.now()), Type: "a.b", Schema: 1, Time: k.now()}, Data: []byte("{}")}, nil
		},
		Wake:    func(uint64) {},
		Running: func(name string) bool { return name == "stalled_horizon" || name == "bridge" },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer detach()
	k.append(5)
	k.cursor("stalled_horizon", 2)
	k.cursor("bridge", 5)
	k.cursor("bridge"+journal.HorizonSuffix, 1)
	policy := journal.Retention{Age: day, Unclaimed: day, Notice: day, OnUnclaimed: func(c journal.Claim) { t.Errorf("warned of %s, which runs", c.Name) }}
	for range 2 {
		k.pass(100 * day)
		k.retain(policy, 2)
	}
	if err := k.Forget(t.Context(), "stalled_horizon"); !errors.Is(err, journal.ErrSubscribed) {
		t.Errorf("forget what runs: %v, want ErrSubscribed", err)
	}
}

// A clock that is years ahead for a moment makes no cursor hold for years, nor stop holding without a warning when its time comes.
func TestRetentionWarnsAgainWhenTheWarningsClockWasWrong(t *testing.T) {
	var warned int
	k := openKept(t, sqlite.Options{})
	attach(t, k.Journal)
	policy := journal.Retention{Age: day, OnUnclaimed: func(journal.Claim) { warned++ }}
	k.append(5)
	k.cursor("gone", 2)
	k.pass(10 * 365 * day)
	k.retain(policy, 3)
	k.pass(-10*365*day + time.Hour)
	k.retain(policy, 3)
	k.pass(23 * day)
	k.retain(policy, 3)
	if warned != 2 {
		t.Errorf("%d warnings, want 2", warned)
	}
	k.pass(7 * day)
	k.retain(policy, 6)
}

// Whoever forgets a subscription wants its events to go, also those that were kept should it have to go back.
func TestForgetForgetsTheHorizonToo(t *testing.T) {
	k := openKept(t, sqlite.Options{})
	attach(t, k.Journal)
	k.append(5)
	k.cursor("bridge", 4)
	k.cursor("bridge"+journal.HorizonSuffix, 1)
	k.cursor("other"+journal.HorizonSuffix, 3)
	if err := k.Forget(t.Context(), "bridge"); err != nil {
		t.Fatal(err)
	}
	all, err := k.Claims(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != "other"+journal.HorizonSuffix {
		t.Errorf("left: %+v, %v", all, err)
	}
	if err := k.Forget(t.Context(), "other"+journal.HorizonSuffix); err != nil {
		t.Errorf("a horizon alone: %v", err)
	}
}
