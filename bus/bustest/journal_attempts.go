package bustest

import (
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
)

// testAttempts: what a durable subscription is at is there for who asks after a crash.
func testAttempts(t *testing.T, jt *journalTest) {
	k, ok := jt.j.(bus.AttemptKeeper)
	if !ok {
		t.Skip("it keeps no attempts")
	}
	jt.attach(t, nil)
	jt.record(t, facts(1, 9)...)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(name string, want ...bus.Attempt) {
		t.Helper()
		got, err := k.Attempts(jt.ctx, name)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("attempts of %q: %v, %v; want %v", name, got, err, want)
		}
	}
	want("a")
	must(k.StoreAttempts(jt.ctx, "a", bus.Attempt{Seq: 7, Tries: 1}, bus.Attempt{Tries: 2}, bus.Attempt{Seq: 3, Tries: 1}))
	must(k.StoreAttempts(jt.ctx, "b", bus.Attempt{Seq: 7, Tries: 5}))
	want("a", bus.Attempt{Tries: 2}, bus.Attempt{Seq: 3, Tries: 1}, bus.Attempt{Seq: 7, Tries: 1})
	must(k.StoreAttempts(jt.ctx, "a", bus.Attempt{Seq: 7, Tries: 2}, bus.Attempt{Seq: 3}, bus.Attempt{Seq: 4}))
	want("a", bus.Attempt{Tries: 2}, bus.Attempt{Seq: 7, Tries: 2})
	must(k.ForgetAttempts(jt.ctx, "a"))
	must(k.ForgetAttempts(jt.ctx, "a"))
	want("a")
	want("b", bus.Attempt{Seq: 7, Tries: 5})
}
