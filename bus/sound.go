package bus

import "errors"

// sound is a foreign error, unless its own methods panic, as those of a nil pointer that was returned as an error mostly do: then it is that panic.
func sound(err error) error {
	if fault := faultOf(err); fault != nil {
		return fault
	}
	return err
}

// faultOf asks an error all that it can be asked later, by us and by whoever is told of it. It returns the panic, nil if there is none.
func faultOf(err error) (fault *PanicError) {
	if err == nil {
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			fault = newPanicError(r)
		}
	}()
	_ = err.Error()
	_ = errors.Is(err, errGoexit) // looks at all that it wraps
	errors.As(err, new(*PanicError))
	return nil
}
