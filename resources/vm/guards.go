package vm

import "github.com/cloudbus-go/cloudbus/fsm"

// neverRan holds for a VM that has never been in running or paused: what failed then was its creation.
var neverRan = fsm.If("never_ran", func(v *VM) bool { return !v.EverRan })
