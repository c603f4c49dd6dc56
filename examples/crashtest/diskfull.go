package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// fillDisk lets a database run out of room under load and gives it room again, several times: by SQLite's own limit, and, where a file system may be mounted,
// by one that really is full. The server must tell its callers and go on, and everything must hold.
func (t *trial) fillDisk(ctx context.Context) error {
	t.outcome.Trouble = &trouble{By: []string{"PRAGMA max_page_count"}}
	dir := filepath.Dir(databaseFile(t.dir))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	unmount, err := mountSmall(dir, roomFor(t.cfg.every))
	switch {
	case err == nil:
		t.outcome.Trouble.By = append(t.outcome.Trouble.By, "a full file system")
		t.cleanUp = append(t.cleanUp, func() error { return errors.Join(t.save(dir), unmount()) })
	case !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, os.ErrPermission):
		return fmt.Errorf("mount a small file system: %w", err)
	}
	mounted := err == nil

	p, err := t.troubled(ctx)
	if err != nil {
		return err
	}
	for range 2 {
		if err := t.command(ctx, p, sayFill); err != nil {
			return err
		}
		if err := t.pass(ctx, t.cfg.every); err != nil {
			return err
		}
		if err := t.command(ctx, p, sayRoom); err != nil {
			return err
		}
		if !mounted {
			continue
		}
		if err := t.fillFileSystem(ctx, filepath.Join(dir, "ballast")); err != nil {
			return err
		}
	}
	if err := t.pass(ctx, t.cfg.every); err != nil {
		return err
	}
	p.tell(sayFinish)
	if err := p.end(ctx, t.cfg.patience); err != nil {
		return err
	}
	return t.noteRefusals(p)
}

// roomFor returns how many MiB a database and its log may need in a trial whose steps take so long each; what is too much is filled up.
func roomFor(step time.Duration) int { return min(2048, 64+int(step.Seconds()*64)) }

// save copies what lies in memory and is to be looked at.
func (t *trial) save(dir string) error {
	if t.outcome.OK && !t.cfg.keep {
		return nil
	}
	return os.CopyFS(dir+".saved", os.DirFS(dir))
}

// fillFileSystem takes all room there is for a while.
func (t *trial) fillFileSystem(ctx context.Context, ballast string) error {
	f, err := os.Create(ballast)
	if err != nil {
		return err
	}
	for size := 1 << 20; size > 0; size /= 2 {
		for block := make([]byte, size); err == nil; {
			_, err = f.Write(block)
		}
		err = nil // it is full: smaller blocks may still go in
	}
	err = t.pass(ctx, t.cfg.every)
	return errors.Join(err, f.Close(), os.Remove(ballast))
}
