package main

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestFatesOfASeed(t *testing.T) {
	a := fates{rng: rand.New(rand.NewPCG(7, 0)), every: time.Second}
	b := fates{rng: rand.New(rand.NewPCG(7, 0)), every: time.Second}
	met := map[moment]int{}
	for range 200 {
		f := a.draw()
		if other := b.draw(); f != other {
			t.Fatalf("one seed, two fates: %+v, %+v", f, other)
		}
		met[f.moment]++
		if f.after > 2*time.Second || (f.command != "") != (f.moment == whileClosing) {
			t.Errorf("%+v", f)
		}
	}
	if len(met) != 3 {
		t.Errorf("moments met: %v", met)
	}
}
