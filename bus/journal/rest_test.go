package journal

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// turn takes a turn and returns how long that took.
func turn(t *testing.T, turns *turns, background bool) time.Duration {
	t.Helper()
	w := newWaiter()
	w.background = background
	begun := time.Now()
	if err := turns.take(context.Background(), w); err != nil {
		t.Error(err)
	}
	return time.Since(begun)
}

// runs has a background member run for d.
func runs(t *testing.T, turns *turns, d time.Duration) (waited time.Duration) {
	waited = turn(t, turns, true)
	time.Sleep(d)
	turns.took(d)
	turns.give()
	return waited
}

func TestSlowBackgroundMemberLeavesThreeQuartersOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(time.Second)
		done := make(chan int)
		stop := make(chan struct{})
		go func() { // a caller that comes again and again
			moves := 0
			defer func() { done <- moves }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				turn(t, turns, false)
				time.Sleep(time.Millisecond)
				turns.give()
				time.Sleep(time.Microsecond) // in which a background member could slip in
				moves++
			}
		}()
		const rounds, hold = 20, 5 * time.Millisecond
		begun := time.Now()
		for range rounds {
			runs(t, turns, hold)
		}
		took := time.Since(begun)
		close(stop)
		moves := <-done
		if took < 70*rounds*time.Millisecond/4 || took > 90*rounds*time.Millisecond/4 || moves < rounds*13 {
			t.Errorf("%d background members of %v took %v beside %d moves of 1 ms; want them to have a quarter of the time", rounds, hold, took, moves)
		}
	})
}

func TestBackgroundMembersDontRestForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(time.Second)
		for i := range 3 {
			if waited := runs(t, turns, time.Second); waited != 0 {
				t.Errorf("the background member %d waited for %v with nobody else there", i, waited)
			}
		}
		turn(t, turns, false)
		turns.give()
		if waited := runs(t, turns, time.Millisecond); waited != maxRest {
			t.Errorf("after somebody had come it waited for %v, want %v", waited, maxRest)
		}
	})
}

func TestCloseDoesntWaitForARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(time.Second)
		runs(t, turns, time.Second)
		turn(t, turns, false)
		turns.give()
		done := make(chan time.Duration)
		go func() { done <- runs(t, turns, 0) }()
		synctest.Wait()
		if err := turns.close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := <-done; waited != 0 {
			t.Errorf("the member that was there waited for %v", waited)
		}
		time.Sleep(time.Minute) // the alarm of the rest finds nothing to do
	})
}
