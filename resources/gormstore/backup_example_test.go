package gormstore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// A backup is a database of its own, made while the first is used.
func ExampleStore_Backup() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "cloud")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := sqlite.Open(filepath.Join(dir, "cloud.db"), sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close(ctx) }()

	path := filepath.Join(dir, "monday.db")
	fmt.Println(store.Backup(ctx, path, gormstore.BackupOptions{}))
	err = store.Backup(ctx, path, gormstore.BackupOptions{})
	fmt.Println("once more, to the same file:", errors.Is(err, fs.ErrExist))
	restored, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(restored.Close(ctx))
	// Output:
	// <nil>
	// once more, to the same file: true
	// <nil>
}
