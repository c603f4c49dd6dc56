package gormstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// ErrNoBackup: this sort of database is backed up with tools of its own.
var ErrNoBackup = errors.New("gormstore: the store makes no backups of such a database")

// BackupOptions of Backup. The zero value works.
type BackupOptions struct {
	// Progress is told how many pages of how many are copied, about once a megabyte, on the caller's goroutine. Defaults to nobody.
	Progress func(done, total int)
}

// Backup copies the database, as it is at one moment, to a new file: resources, journal, cursors and plugins' tables belong together in it.
// Nobody is held up meanwhile, but the write-ahead log grows until the backup is done. The file is readable by its owner alone and is on the disk
// when Backup returns. If anything fails, or ctx ends, or the store is closed, there is no file.
// Errors: what errors.Is calls fs.ErrExist for a path that is taken, or has the -wal, -shm or -journal of another database beside it, journal.ErrFull, journal.ErrCorrupt, journal.ErrClosed; ctx.Err();
// ErrNoBackup for a database that has its own tools: PostgreSQL's is pg_dump.
func (s *Store) Backup(ctx context.Context, path string, o BackupOptions) error {
	if s.backup == nil {
		return fmt.Errorf("gormstore: backup to %s: %w: use the tools of %s (pg_dump for postgres)", path, ErrNoBackup, s.db.Name())
	}
	ctx, end, err := s.copies.begin(ctx)
	if err == nil {
		defer end()
		err = s.backUp(ctx, path, o)
	}
	if err != nil {
		return fmt.Errorf("gormstore: backup to %s: %w", path, err)
	}
	return nil
}

// backUp copies to a file beside the path, which gets its name when it is whole.
func (s *Store) backUp(ctx context.Context, path string, o BackupOptions) (err error) {
	if path == "" {
		return errors.New("the path is empty")
	}
	if err := vacant(path); err != nil {
		return err
	}
	dir, name := filepath.Split(path)
	file, err := os.CreateTemp(filepath.Clean(dir), "."+name+".partial-*") // mode 0600
	if err != nil {
		return err
	}
	partial := file.Name()
	defer func() { err = errors.Join(err, removeAll(partial)) }()
	if err := file.Close(); err != nil {
		return err
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	if err := s.backup(ctx, partial, o.Progress); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return s.explain(err)
	}
	if err := syncFile(partial); err != nil {
		return s.explain(err)
	}
	if err := giveName(partial, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

// beside are the endings of what a database may have beside its file. Whoever opens a database takes them for its own, whatever they were left by.
var beside = []string{"-journal", "-wal", "-shm"}

// vacant makes sure that nothing is at the path, nor what would be mixed with the backup when it is opened.
func vacant(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	for _, suffix := range beside {
		if _, err := os.Lstat(path + suffix); err == nil {
			return fmt.Errorf("%w: %s, which would be taken for a part of the backup", fs.ErrExist, path+suffix)
		}
	}
	return nil
}

// giveName gives a file another name, unless that is taken.
func giveName(from, to string) error {
	err := os.Link(from, to) // unlike a rename it replaces nothing
	if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	// A file system without links. The name is taken first, then its file replaced.
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Close(), os.Rename(from, to)); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

// syncFile waits until a file, or a directory, is on the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeAll removes the unfinished file, and what a driver may have left beside it.
func removeAll(partial string) error {
	var errs []error
	for _, suffix := range append([]string{""}, beside...) {
		if err := os.Remove(partial + suffix); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// copies are the backups that are being made.
type copies struct {
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
	stops  map[int]context.CancelCauseFunc
	made   int
}

func (c *copies) begin(ctx context.Context) (_ context.Context, end func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, nil, journal.ErrClosed
	}
	ctx, stop := context.WithCancelCause(ctx)
	c.made++
	number := c.made
	if c.stops == nil {
		c.stops = map[int]context.CancelCauseFunc{}
	}
	c.stops[number] = stop
	c.running.Add(1)
	return ctx, func() {
		c.mu.Lock()
		delete(c.stops, number)
		c.mu.Unlock()
		stop(nil)
		c.running.Done()
	}, nil
}

// close stops them and waits for that; it takes as long as a step of a backup, or as its caller's Progress.
func (c *copies) close() {
	c.mu.Lock()
	c.closed = true
	for _, stop := range c.stops {
		stop(journal.ErrClosed)
	}
	c.mu.Unlock()
	c.running.Wait()
}
