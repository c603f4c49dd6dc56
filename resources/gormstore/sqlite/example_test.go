package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// A file belongs to one store at a time.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "cloud")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "cloud.db")

	store, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	_, err = sqlite.Open(path, sqlite.Options{})
	var inUse *sqlite.InUseError
	if errors.As(err, &inUse) {
		fmt.Println("in use by this process:", inUse.PID == os.Getpid())
	}
	fmt.Println("closed:", store.Close(context.Background()))
	// Output:
	// in use by this process: true
	// closed: <nil>
}
