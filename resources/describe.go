package resources

import (
	"reflect"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Describe returns the description that Register would give to a kind, without an engine: for whoever checks what refers to kinds and fields before there is one.
// Errors: *InvalidError, as from Register.
func Describe[T any](m *fsm.Machine) (*Info, error) {
	if m == nil {
		return nil, &InvalidError{Reason: "Describe of " + reflect.TypeFor[T]().String() + " needs a machine"}
	}
	return newInfo(reflect.TypeFor[T](), m)
}
