package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// forbidWrites makes a database read-only under a server, which must tell its callers and end; then it starts a server on files that it may not write, which must
// say so and leave them as they are. In the end everything must hold.
func (t *trial) forbidWrites(ctx context.Context) error {
	t.outcome.Trouble = &trouble{By: []string{"PRAGMA query_only", "modes of the files"}}
	p, err := t.troubled(ctx)
	if err != nil {
		return err
	}
	if err := t.command(ctx, p, sayLock); err != nil {
		return err
	}
	if err := t.pass(ctx, t.cfg.every); err != nil {
		return err
	}
	p.tell(sayClose)
	// It may well say that it couldn't write down how far its subscribers are; what is to be seen is that it ends.
	if err := p.end(ctx, t.cfg.patience); err != nil && !says(err, journal.ErrReadOnly) {
		return err
	}
	if err := t.noteRefusals(p); err != nil {
		return err
	}
	t.servers = nil
	if err := t.openReadOnly(ctx); err != nil {
		return err
	}
	return t.finish(ctx)
}

// openReadOnly starts a server that may read the database's files and not write them. The one before was killed, so there is a log to recover from.
func (t *trial) openReadOnly(ctx context.Context) error {
	p, err := t.troubled(ctx)
	if err != nil {
		return err
	}
	p.kill()
	t.servers = nil

	dir := filepath.Dir(databaseFile(t.dir))
	before, err := fingerprint(dir)
	if err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(t.dir, 0o755), chmodAll(dir, 0o555, 0o444)); err != nil {
		return err
	}
	err = t.refusesToOpen(ctx)
	after, err2 := fingerprint(dir)
	if err := errors.Join(err, err2, chmodAll(dir, 0o750, 0o600)); err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("the files of a read-only database were altered: their sum is %s, before it was %s", after, before)
	}
	return nil
}

func (t *trial) refusesToOpen(ctx context.Context) error {
	p, err := t.start(func(o *orders) { o.Nobody = true })
	if err != nil {
		return err
	}
	err = p.end(ctx, t.cfg.patience)
	t.servers = nil
	if !says(err, journal.ErrReadOnly) {
		return fmt.Errorf("a server that was started on files that it can't write should have said %q; it said: %w", journal.ErrReadOnly.Error(), err)
	}
	t.outcome.Trouble.Opening = err.Error()
	return nil
}

// chmodAll sets the modes of a folder and of the files in it.
func chmodAll(dir string, folder, file fs.FileMode) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.Chmod(filepath.Join(dir, e.Name()), file))
	}
	return errors.Join(err, os.Chmod(dir, folder))
}

// fingerprint sums up the files of a folder and what is in them.
func fingerprint(dir string) (string, error) {
	sum := sha256.New()
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		text, err2 := os.ReadFile(filepath.Join(dir, e.Name()))
		err = errors.Join(err, err2)
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", e.Name(), len(text), text) // a hash takes everything
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), err
}
