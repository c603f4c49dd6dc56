package main

import (
	"fmt"
	"runtime"
	"syscall"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

const idleCount = 1000

// idleSubscriptions measures what subscriptions cost to which nothing comes.
func (b *bench) idleSubscriptions() error {
	err := b.hold(contest{name: "memory of an idle subscription", unit: "KiB", contenders: []contender{
		{run: func() ([]float64, error) { return memoryOf(subscribeMany) }, bars: []bar{limit(4)}},
		{name: "channels", run: func() ([]float64, error) { return memoryOf(makeChannels) }},
	}})
	if err != nil {
		return err
	}
	o := newBus()
	if err := subscribe(o, idleCount); err != nil {
		return err
	}
	// One slice is a second: the clock of a process is coarse. Nothing else of this process is running then.
	return b.hold(contest{name: fmt.Sprintf("CPU of %d idle subscriptions", idleCount), unit: "ms/s", contenders: []contender{
		{run: func() ([]float64, error) { return []float64{busy(min(40*b.slice, time.Second))}, nil }, close: o.close, bars: []bar{limit(1)}},
	}})
}

func subscribe(o *ours, n int) error {
	for range n {
		if err := o.subscribe(func(int64) {}, bus.Queue(slots, bus.DropOldest)); err != nil {
			return err
		}
	}
	return nil
}

// memoryOf returns the KiB of heap and stacks that each of many takes, in use while none has been used.
func memoryOf(many func() (stop func() error, err error)) ([]float64, error) {
	before := inUse()
	stop, err := many()
	if err != nil {
		return nil, err
	}
	each := float64(inUse()-before) / idleCount / 1024
	return []float64{each}, stop()
}

func inUse() int64 {
	runtime.GC()
	runtime.GC() // what the first one finalised
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func subscribeMany() (func() error, error) {
	o := newBus()
	return o.close, subscribe(o, idleCount)
}

func makeChannels() (func() error, error) {
	c, err := newChannels(make([]handler, idleCount))
	if err != nil {
		return nil, err
	}
	return c.close, nil
}

// busy returns the milliseconds of CPU that the process takes in a second.
func busy(d time.Duration) float64 {
	before := cpuTime()
	time.Sleep(d)
	return float64((cpuTime() - before).Microseconds()) / 1000 / d.Seconds()
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // RUSAGE_SELF is always there
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
