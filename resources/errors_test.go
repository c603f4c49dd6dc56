package resources_test

import (
	"errors"
	"io"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

func TestErrorsTeach(t *testing.T) {
	one, err := bus.ParseID("01a20061-c6bc-7000-8000-bc087dba8186")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		err   error
		text  string
		wraps error
	}{
		{
			&resources.VetoError{Listener: "quota", Kind: "vm", ID: "42", Trigger: "start_requested", Err: io.EOF},
			`resources: vm/42: listener "quota" vetoed "start_requested": EOF`, io.EOF,
		},
		{
			&resources.VetoError{Listener: "quota", Kind: "vm", ID: "42", Err: io.EOF},
			`resources: vm/42: listener "quota" vetoed a change: EOF`, io.EOF,
		},
		{
			&resources.PanicError{Where: "With", Kind: "vm", ID: "42", Value: io.EOF},
			`resources: vm/42: panic in With: EOF`, io.EOF,
		},
		{&resources.PanicError{Where: "Set", Kind: "vm", ID: "42", Value: 7}, `resources: vm/42: panic in Set: 7`, nil},
		{&resources.InvalidError{Kind: "vm", ID: "42", Field: "cpus", Reason: "is -1", Err: io.EOF}, `resources: vm/42: cpus: is -1`, io.EOF},
		{&resources.InvalidError{Reason: "is wrong"}, `resources: is wrong`, nil},
		{
			&resources.UnknownError{What: "kind", Name: "vn", Known: []string{"nic", "vm"}},
			`resources: unknown kind "vn" (known: nic, vm)`, nil,
		},
		{&resources.UnknownError{What: "kind", Name: "vn"}, `resources: unknown kind "vn" (there are none)`, nil},
		{
			&resources.StaleError{Kind: "vm", ID: "42", Operation: one, Current: one},
			`resources: outcome of another operation: vm/42: operation ` + one.String() + ` is over (it is in ` + one.String() + `)`, resources.ErrStale,
		},
		{
			&resources.StaleError{Kind: "vm", ID: "42", Operation: one},
			`resources: outcome of another operation: vm/42: operation ` + one.String() + ` is over (it is in none)`, resources.ErrStale,
		},
		{
			&resources.StatesError{Kind: "vm", Counts: map[fsm.State]int64{"z": 1, "a": 20}, Known: fsm.States("on", "off")},
			`resources: vm: stored resources in states the machine doesn't have: 20 in "a", 1 in "z" (its states: on, off)`, nil,
		},
	} {
		if got := test.err.Error(); got != test.text {
			t.Errorf("got  %s\nwant %s", got, test.text)
		}
		if test.wraps != nil && !errors.Is(test.err, test.wraps) {
			t.Errorf("%v doesn't wrap %v", test.err, test.wraps)
		}
	}
}
