package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Options of Open. The zero value works.
type Options struct {
	Logger *slog.Logger     // Defaults to slog.Default().
	Now    func() time.Time // Defaults to time.Now.
	// Readers is how many connections read at the same time. Defaults to 4.
	Readers int
	// BusyTimeout is how long a statement waits for a lock that somebody outside of this store holds; below MemberLimit. Defaults to two fifths of it (2 s).
	BusyTimeout time.Duration
	// MemberLimit is journal.Options.MemberLimit. Defaults to 5 s.
	MemberLimit time.Duration
	// Retention is journal.Options.Retention: which events are removed. Defaults to none.
	Retention journal.Retention
}

// Open opens the database at path, creating it if its directory exists, and migrates the journal's tables.
// Errors: *InUseError if another store has the file; what errors.Is calls journal.ErrReadOnly, ErrBusy, ErrFull or ErrCorrupt; fs.ErrNotExist for a missing
// directory. ":memory:" and other URIs are refused: a store in memory is memstore.
func Open(path string, o Options) (*gormstore.Store, error) {
	store, err := open(path, o)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	return store, nil
}

func open(path string, o Options) (_ *gormstore.Store, err error) {
	file, err := locate(path)
	if err != nil {
		return nil, err
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.MemberLimit <= 0 {
		o.MemberLimit = 5 * time.Second
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 2 * o.MemberLimit / 5
	}
	if o.BusyTimeout >= o.MemberLimit {
		return nil, fmt.Errorf("Options.BusyTimeout is %v: it must be below MemberLimit, %v", o.BusyTimeout, o.MemberLimit)
	}
	lock, err := lockFile(file)
	if err != nil {
		return nil, err
	}
	p := &pools{lock: lock}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if err := create(file); err != nil {
		return nil, err
	}
	if p.write, err = connect(writer(file, o.BusyTimeout), 1); err != nil {
		return nil, classify(err)
	}
	p.source = reader(file, o.BusyTimeout)
	if p.read, err = connect(p.source, o.Readers); err != nil {
		return nil, classify(err)
	}
	checkpoints, err := connect(p.source, 1)
	if err != nil {
		return nil, classify(err)
	}
	p.checkpoints = startCheckpoints(checkpoints, cmp.Or(o.Logger, slog.Default()))
	return p.store(o)
}

// locate makes a path absolute and follows links, so that one file has one lock.
func locate(path string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("the path is empty")
	case strings.Contains(path, ":memory:"), strings.HasPrefix(path, "file:"):
		return "", errors.New("only paths of files are taken; for a store in memory use memstore")
	case strings.ContainsRune(path, 0):
		return "", errors.New("the path contains a zero byte")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, checkNew(path)
	case err != nil:
		return "", err
	case info.IsDir():
		return "", errors.New("it is a directory, not a file")
	case !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file")
	}
	return path, nil
}

// checkNew looks at a path that leads to no file yet. A link to nothing has no one file to lock: it would be one file here, another when it is there.
func checkNew(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("it is a link to a file that isn't there: %w", fs.ErrNotExist)
	}
	_, err := os.Stat(filepath.Dir(path))
	return err
}

// create makes a file that isn't there yet, for its owner alone: tables may hold secrets. Its log gets the same mode.
func create(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return readOnly(err)
	}
	return f.Close()
}

// pools are what lies under a store.
type pools struct {
	lock        *fileLock
	write, read *sql.DB
	source      connector // of backups and checkpoints
	checkpoints *checkpointer
}

func (p *pools) store(o Options) (*gormstore.Store, error) {
	write, err := withGorm(p.write)
	if err != nil {
		return nil, classify(err)
	}
	read, err := withGorm(p.read)
	if err != nil {
		return nil, classify(err)
	}
	j, err := journal.Open(context.Background(), journal.Options{
		Write: write, Read: read, Logger: o.Logger, Now: o.Now, MemberLimit: o.MemberLimit, Classify: classify, InTransaction: inTransaction,
		Retention: o.Retention,
	})
	if err != nil {
		return nil, err
	}
	return gormstore.New(gormstore.Options{Journal: j, Classify: classify, Backup: p.backup, Close: func(context.Context) error { return p.close() }})
}

// close closes the readers first: the last connection, which writes, then moves the log into the database and removes it.
func (p *pools) close() error {
	var errs []error
	if p.checkpoints != nil {
		errs = append(errs, p.checkpoints.close())
	}
	if p.read != nil {
		errs = append(errs, p.read.Close())
	}
	if p.write != nil {
		errs = append(errs, p.write.Close())
	}
	return errors.Join(append(errs, p.lock.release())...)
}

func withGorm(db *sql.DB) (*gorm.DB, error) {
	return gorm.Open(gormsqlite.New(gormsqlite.Config{Conn: db}), &gorm.Config{Logger: logger.Discard})
}
