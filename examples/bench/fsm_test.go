package main

import "testing"

func TestMachinesMove(t *testing.T) {
	for name, make := range map[string]func(*server) mover{
		"ours":      func(s *server) mover { return ourMachine(s, s) },
		"looplab":   looplabMachine,
		"stateless": statelessMachine,
	} {
		t.Run(name, func(t *testing.T) {
			if err := make(nil)(4 * 5); err != nil {
				t.Errorf("without guards: %v", err)
			}
			if err := make(&server{allowed: true})(4 * 5); err != nil {
				t.Errorf("with guards that hold: %v", err)
			}
			if err := make(&server{})(4); err == nil {
				t.Error("a guard that doesn't hold refuses nothing")
			}
		})
	}
}
