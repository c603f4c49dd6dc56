//go:build !unix

package status

import (
	"errors"
	"fmt"
	"os"
)

// tryLock refuses: without a lock two processes could write to one file.
func tryLock(*os.File) (bool, error) {
	return false, fmt.Errorf("status: locking files on this system: %w", errors.ErrUnsupported)
}
