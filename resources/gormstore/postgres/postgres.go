package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/jackc/pgx/v5"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Options of Open. The zero value works.
type Options struct {
	Logger *slog.Logger     // Defaults to slog.Default().
	Now    func() time.Time // Defaults to time.Now.
	// Readers is how many connections read at the same time. Defaults to 4.
	Readers int
	// BusyTimeout is how long a statement waits for a lock that another server holds; below MemberLimit. Defaults to two fifths of it (2 s).
	BusyTimeout time.Duration
	// MemberLimit is journal.Options.MemberLimit. A server that is stopped in a transaction loses it, and its locks, 2 s after that.
	// Defaults to 5 s.
	MemberLimit time.Duration
	// Lease is journal.Options.Lease: after it another server takes over the durable subscriptions of one that is gone. Defaults to 5 s.
	Lease time.Duration
	// ConnectTimeout is how long a connection may take to be made, unless the DSN says so. Defaults to 5 s.
	ConnectTimeout time.Duration
	// Retention is journal.Options.Retention: which events are removed. Every server may remove them. Defaults to none.
	Retention journal.Retention
}

// Open connects to the database that dsn names, as a URL (postgres://user@host:5432/database?search_path=schema) or in key=value form,
// and migrates the journal's tables. Tables are made in the first schema of the search path, which must exist.
// Errors: a DSN that can't be read; what errors.Is calls journal.ErrUnavailable, ErrReadOnly, ErrBusy or ErrNewerSchema.
// Passwords are in none of them.
func Open(dsn string, o Options) (*gormstore.Store, error) {
	store, err := open(dsn, o)
	if err != nil {
		return nil, fmt.Errorf("postgres: open: %w", err)
	}
	return store, nil
}

func open(dsn string, o Options) (_ *gormstore.Store, err error) {
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
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = 5 * time.Second
	}
	config, err := parse(dsn, o.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	p := &pools{config: config, write: writer(config, o), read: reader(config, o)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	return p.store(o)
}

// pools are what lies under a store.
type pools struct {
	config      *pgx.ConnConfig
	write, read *sql.DB
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
	schema, err := checkServer(p.read)
	if err != nil {
		return nil, err
	}
	news := newChannel(p.config, p.read, schema, o.Logger)
	j, err := journal.Open(context.Background(), journal.Options{
		Write: write, Read: read, Logger: o.Logger, Now: o.Now, MemberLimit: o.MemberLimit, Classify: classify, InTransaction: inTransaction,
		Retention: o.Retention, Notify: news.notify, Listen: news.listen, Lease: o.Lease,
	})
	if err != nil {
		return nil, err
	}
	return gormstore.New(gormstore.Options{Journal: j, Classify: classify, Close: func(context.Context) error { return p.close() }})
}

func (p *pools) close() error { return errors.Join(p.read.Close(), p.write.Close()) }

func withGorm(db *sql.DB) (*gorm.DB, error) {
	return gorm.Open(gormpostgres.New(gormpostgres.Config{Conn: db}), &gorm.Config{Logger: logger.Discard})
}
