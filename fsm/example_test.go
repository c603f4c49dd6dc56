package fsm_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	looplab "github.com/looplab/fsm"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Backup is a resource: it holds its state and origin, the machine holds none.
type Backup struct {
	State, Origin fsm.State
	Locked        bool
}

var backups = fsm.MustNew(fsm.Spec{
	Kind:    "backup",
	Initial: fsm.States("stored"),
	Final:   fsm.States("deleted"),
	Limits:  map[fsm.State]time.Duration{"restoring": time.Hour},
	Edges: []fsm.Edge{
		{From: fsm.States("stored"), On: "restore_requested", To: "restoring"},
		{From: fsm.States("restoring"), On: fsm.OperationSucceeded, To: "stored"},
		{From: fsm.States("restoring"), On: fsm.OperationFailed, To: fsm.Origin},
		{From: fsm.States("restoring"), On: "restore_requested", To: fsm.Same},
		{From: fsm.States("stored"), On: "delete_requested", To: "deleted", If: fsm.If("unlocked", func(b *Backup) bool { return !b.Locked })},
		{From: fsm.States("deleted"), On: "delete_requested", To: fsm.Same},
	},
})

func Example() {
	b := &Backup{State: "stored"}
	for _, on := range []fsm.Trigger{"restore_requested", "restore_requested", fsm.OperationFailed, "delete_requested"} {
		step, err := backups.Next(b.State, b.Origin, on, b)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s → %s, moved: %v, origin: %q\n", on, b.State, step.To, step.Moved, step.Origin)
		b.State, b.Origin = step.To, step.Origin
	}
	// Output:
	// restore_requested: stored → restoring, moved: true, origin: "stored"
	// restore_requested: restoring → restoring, moved: false, origin: "stored"
	// operation_failed: restoring → stored, moved: true, origin: ""
	// delete_requested: stored → deleted, moved: true, origin: ""
}

func ExampleNew() {
	_, err := fsm.New(fsm.Spec{
		Kind:    "backup",
		Initial: fsm.States("stored"),
		Limits:  map[fsm.State]time.Duration{"restoring": time.Hour},
		Endless: true,
		Edges: []fsm.Edge{
			{From: fsm.States("stored"), On: "restore_requested", To: "restoring"},
			{From: fsm.States("restoring"), On: fsm.OperationSucceeded, To: "restored"},
			{From: fsm.States("stored"), On: "Cancel", To: fsm.Origin},
		},
	})
	var spec *fsm.SpecError
	if errors.As(err, &spec) {
		for _, fault := range spec.Faults {
			fmt.Println(fault)
		}
	}
	// Output:
	// trigger "Cancel": is not a name of the form [a-z][a-z0-9_]*
	// edge 3 (stored, Cancel): leads to the origin, which only transitional states have
	// state "restoring": is transitional, but has no answer to failure (operation_failed)
}

func ExampleIf() {
	b := &Backup{State: "stored", Locked: true}
	_, err := backups.Next(b.State, b.Origin, "delete_requested", b)
	fmt.Println(err)
	// Output:
	// fsm: backup cannot "delete_requested" in "stored" (not unlocked; allowed: restore_requested)
}

func ExampleMachine_Allowed() {
	b := &Backup{State: "stored", Locked: true}
	allowed, _ := backups.Allowed(b.State, b.Origin, b)
	fmt.Println(allowed)
	b.Locked = false
	allowed, _ = backups.Allowed(b.State, b.Origin, b)
	fmt.Println(allowed)
	// Output:
	// [restore_requested]
	// [restore_requested delete_requested]
}

func ExampleMachine_WithLimits() {
	patient, err := backups.WithLimits(map[fsm.State]time.Duration{"restoring": 6 * time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	limit, _ := patient.Limit("restoring")
	fmt.Println(limit)
	// Output: 6h0m0s
}

func ExampleMachine_Mermaid() {
	fmt.Print(backups.Mermaid(fsm.Current("restoring")))
	// Output:
	// stateDiagram-v2
	//     [*] --> stored
	//     stored --> restoring: restore_requested
	//     stored --> deleted: delete_requested[unlocked]
	//     restoring --> stored: operation_succeeded
	//     restoring --> stored: operation_failed (origin)
	//     restoring --> restoring: = restore_requested
	//     deleted --> deleted: = delete_requested
	//     deleted --> [*]
	//     classDef transitional stroke-dasharray: 4 3
	//     class restoring transitional
	//     classDef current fill:#ffd54f,stroke-width:3px
	//     class restoring current
}

func ExampleMachine_Table() {
	fmt.Print(backups.Table())
	// Output:
	// | state | class | limit | edges |
	// |---|---|---|---|
	// | stored | initial, steady |  | restore_requested→restoring · delete_requested[unlocked]→deleted |
	// | restoring | transitional | 1h | operation_succeeded→stored · operation_failed→origin · restore_requested→= |
	// | deleted | final |  | delete_requested→= |
}

func ExampleFromLooplab() {
	spec, err := fsm.FromLooplab(looplab.Events{
		{Name: "open", Src: []string{"closed"}, Dst: "open"},
		{Name: "close", Src: []string{"open"}, Dst: "closed"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	spec.Kind, spec.Initial, spec.Endless = "door", fsm.States("closed"), true
	step, _ := fsm.MustNew(spec).Next("closed", "", "open", nil)
	fmt.Println(step.To)
	// Output: open
}

func ExampleMachine_Looplab() {
	spec := backups.Spec()
	spec.Edges[4].If = fsm.Guard{} // looplab knows no guards
	live, err := fsm.MustNew(spec).Looplab("stored", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = live.Event(context.Background(), "restore_requested")
	fmt.Println(live.Current())
	_ = live.Event(context.Background(), "operation_failed")
	fmt.Println(live.Current())
	// Output:
	// restoring@stored
	// stored
}
