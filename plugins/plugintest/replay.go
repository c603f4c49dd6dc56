package plugintest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// replay lets a plugin see all events, rewinds its cursors, lets a new instance see them again, and compares the plugin's tables.
func (s *suite) replay(t testing.TB) error {
	b := s.bus(t)
	j, ok := b.Journal().(*journal.Journal)
	if !ok {
		return fmt.Errorf("the Database's bus has %T as its journal, not a *journal.Journal", b.Journal())
	}
	ctx, cancel := patiently()
	defer cancel()
	foreign, err := tables(j)
	if err != nil {
		return err
	}
	cursors, err := j.Cursors(ctx)
	if err != nil {
		return err
	}
	err = s.running(b, s.make(), func() error {
		if s.feed != nil {
			s.feed(t, b)
		}
		return b.Flush(ctx)
	})
	if err != nil {
		return fmt.Errorf("first run: %w", err)
	}
	before, err := s.dump(j, foreign)
	if err != nil {
		return err
	}
	if err := rewind(ctx, j, cursors); err != nil {
		return err
	}
	if err := s.running(b, s.make(), func() error { return b.Flush(ctx) }); err != nil {
		return fmt.Errorf("second run: %w", err)
	}
	after, err := s.dump(j, foreign)
	if err != nil {
		return err
	}
	return compare(before, after)
}

// rewind moves the cursors that have come up to the journal's beginning.
func rewind(ctx context.Context, j *journal.Journal, old []journal.Cursor) error {
	first, _, err := j.Bounds(ctx)
	if err != nil {
		return err
	}
	all, err := j.Cursors(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if slices.ContainsFunc(old, func(o journal.Cursor) bool { return o.Name == c.Name }) {
			continue
		}
		if err := j.Rewind(ctx, c.Name, first-1); err != nil {
			return err
		}
	}
	return nil
}

// tables lists the tables there are, those of goose left out.
func tables(j *journal.Journal) ([]string, error) {
	all, err := j.DB().Migrator().GetTables()
	return slices.DeleteFunc(all, func(name string) bool { return strings.HasPrefix(name, "goose_") || strings.HasPrefix(name, "sqlite_") }), err
}

// dump returns the rows of the plugin's tables, as sorted lines, by table.
func (s *suite) dump(j *journal.Journal, foreign []string) (map[string][]string, error) {
	names, err := tables(j)
	if err != nil {
		return nil, err
	}
	content := make(map[string][]string)
	for _, name := range names {
		if slices.Contains(foreign, name) || slices.Contains(s.except, name) {
			continue
		}
		var rows []map[string]any
		if err := j.DB().Table(name).Find(&rows).Error; err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		content[name] = []string{}
		for _, row := range rows {
			content[name] = append(content[name], fmt.Sprint(row)) // fmt prints maps in order of their keys
		}
		slices.Sort(content[name])
	}
	return content, nil
}

func compare(before, after map[string][]string) error {
	for name, rows := range before {
		if !slices.Equal(rows, after[name]) {
			return fmt.Errorf("a replay of the same events changes table %s\nfrom\n\t%s\nto\n\t%s", name, strings.Join(rows, "\n\t"), strings.Join(after[name], "\n\t"))
		}
	}
	return nil
}
