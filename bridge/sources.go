package bridge

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// ErrForeignSource: events of this server's source have come into its journal over a bridge, so another server has the same source. Give this one another (bus.Options.Source).
var ErrForeignSource = errors.New("bridge: the journal holds events of this source that came in from elsewhere")

//go:embed migrations/inward/*.sql
var inwardMigrations embed.FS

const inwardComponent = "bridge_inward"

// sources tells events of the servers that write a journal from those that came into it over a bridge.
//
// Several servers with different sources may share a journal, so its own source doesn't tell a server which events are local. A table does: a source is local
// from when a server of that name starts, or one of its events is about to be sent; it is foreign from the transaction that takes its first event in. Neither ever changes.
type sources struct {
	rt  *plugins.Runtime
	own string

	mu    sync.Mutex
	known map[string]bool // source → foreign
}

// openSources returns nil if there is no database, into which nothing can come. Errors: ErrForeignSource, those of the journal.
func openSources(ctx context.Context, rt *plugins.Runtime) (*sources, error) {
	if rt.Journal() == nil {
		return nil, nil
	}
	files, err := fs.Sub(inwardMigrations, "migrations/inward")
	if err != nil {
		return nil, err
	}
	if err := rt.Journal().Migrate(ctx, inwardComponent, files); err != nil {
		return nil, fmt.Errorf("bridge: migrate: %w", err)
	}
	s := &sources{rt: rt, own: rt.Bus().Source(), known: map[string]bool{}}
	foreign, err := s.foreign(ctx, s.own)
	if err == nil && foreign {
		err = fmt.Errorf("%w: %s", ErrForeignSource, s.own)
	}
	return s, err
}

// foreign reports whether events of a source came in from elsewhere; one that isn't known is local from now on.
func (s *sources) foreign(ctx context.Context, source string) (bool, error) {
	if s == nil {
		return false, nil
	}
	s.mu.Lock()
	foreign, known := s.known[source]
	s.mu.Unlock()
	if known {
		return foreign, nil
	}
	err := s.rt.Write(ctx, func(tx *journal.Tx) (err error) {
		foreign, err = settleSource(tx, source, false)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("bridge: look up source %s: %w", source, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[source] = foreign
	return foreign, nil
}

// isLocal reports whether a source is known to be local; one that isn't known yet isn't.
func (s *sources) isLocal(source string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	foreign, known := s.known[source]
	return known && !foreign
}

// learn takes what a transaction that was committed has seen.
func (s *sources) learn(foreign map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.known, foreign)
}

// settleSource returns what a source is. One that isn't known becomes what newcomers are.
func settleSource(tx *journal.Tx, source string, newcomersForeign bool) (foreign bool, err error) {
	local := 0
	err = tx.QueryRow("SELECT local FROM bridge_sources WHERE source = $1", []any{source}, &local)
	if !errors.Is(err, sql.ErrNoRows) {
		return local == 0, err
	}
	if !newcomersForeign {
		local = 1
	}
	_, err = tx.Exec("INSERT INTO bridge_sources (source, local) VALUES ($1, $2)", source, local)
	return newcomersForeign, err
}
