package resources

import "runtime/debug"

// protect runs code of the embedder; a panic comes back as a *PanicError.
func protect(where, kind, id string, fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Where: where, Kind: kind, ID: id, Value: v, Stack: debug.Stack()}
		}
	}()
	return fn()
}
