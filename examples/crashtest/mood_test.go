package main

import (
	"fmt"
	"testing"
)

func TestMoodRefusesOtherResourcesInEachLife(t *testing.T) {
	refused := func(life int) (ids []int) {
		m := &mood{life: life, bad: badForEvents}
		for id := range 1000 {
			if m.check(fmt.Sprintf("vm/vm-1-%d", id)) != nil {
				ids = append(ids, id)
			}
		}
		return ids
	}
	first, second := refused(1), refused(2)
	if len(first) < 5 || len(first) > 100 || fmt.Sprint(first) == fmt.Sprint(second) {
		t.Errorf("of 1,000 resources life 1 refuses %v, life 2 %v", first, second)
	}
	m := &mood{life: 1, bad: 1}
	if m.check("vm/a") == nil {
		t.Error("nothing is refused")
	}
	m.lifted.Store(true)
	if err := m.check("vm/a"); err != nil {
		t.Errorf("after it was lifted: %v", err)
	}
	if err := (*mood)(nil).check("vm/a"); err != nil {
		t.Errorf("in no mood: %v", err)
	}
}
