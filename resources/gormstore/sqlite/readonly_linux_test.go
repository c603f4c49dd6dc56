package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// TestDirectoryThatCantBeWritten opens the store as a user whom modes stop, even if the test runs as root.
func TestDirectoryThatCantBeWritten(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o555); err != nil { // the point of it
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(dir), 0o700) }) // so that it can be removed
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and the user with it
		if os.Geteuid() == 0 {
			if err := syscall.Setfsuid(65534); err != nil {
				done <- err
				return
			}
		}
		_, err := sqlite.Open(filepath.Join(dir, "cloud.db"), sqlite.Options{})
		done <- err
	}()
	if err := <-done; !errors.Is(err, journal.ErrReadOnly) {
		t.Errorf("%v, want ErrReadOnly", err)
	}
}
