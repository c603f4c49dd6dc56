//go:build !unix

package sqlite

import (
	"errors"
	"fmt"
	"os"
)

// tryLock refuses: without a lock two processes could write to one file.
func tryLock(*os.File) (bool, error) {
	return false, fmt.Errorf("locking files on this system: %w", errors.ErrUnsupported)
}

func isReadOnlySystem(error) bool { return false }
