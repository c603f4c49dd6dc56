package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"

	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
)

// postgresVariable names the server that moves on PostgreSQL are measured on.
const postgresVariable = "CLOUDBUS_TEST_POSTGRES"

// peerConnections is how many connections gorm's transactions may use at the same time; more made them slower.
const peerConnections = 16

// postgresMoves compares durable moves on PostgreSQL, in two schemas with the same tables, indexes and rows.
func (b *bench) postgresMoves() (err error) {
	server := os.Getenv(postgresVariable)
	if server == "" {
		b.say("moves on PostgreSQL are NOT RUN: " + postgresVariable + " names no server")
		return nil
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	ours, theirs := fmt.Sprintf("cloudbus_bench_%d_ours", os.Getpid()), fmt.Sprintf("cloudbus_bench_%d_gorm", os.Getpid())
	defer func() {
		_, derr := admin.Exec("DROP SCHEMA IF EXISTS " + ours + ", " + theirs + " CASCADE")
		err = errors.Join(err, derr, admin.Close())
	}()
	if _, err := admin.Exec("CREATE SCHEMA " + ours + "; CREATE SCHEMA " + theirs); err != nil {
		return err
	}
	b.say(fmt.Sprintf("creating %d resources on PostgreSQL", b.resources))
	store, err := postgres.Open(inSchema(server, ours), postgres.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	f, err := newFleet(store)
	if err != nil {
		return errors.Join(err, store.Close(context.Background()))
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := f.create(b.resources); err != nil {
		return err
	}
	if _, err := admin.Exec(strings.NewReplacer("ours.", ours+".", "theirs.", theirs+".").Replace(copyTables)); err != nil {
		return err
	}
	peer, err := openPostgresGorm(inSchema(server, theirs), f.ids)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, peer.close()) }()
	return b.hold(contest{name: "durable move on PostgreSQL, 64 callers", unit: "µs", contenders: []contender{
		{name: "ours", run: func() ([]float64, error) { return drive(f, callers, b.resources, 16*b.slice) }},
		{name: "gorm, a transaction each", bars: []bar{atLeast(3)}, run: func() ([]float64, error) { return drive(peer, callers, b.resources, 16*b.slice) }},
	}})
}

// copyTables gives the peer what we have; its events are numbered by a sequence, as nothing else is at hand in a transaction of gorm's.
const copyTables = `
	CREATE TABLE theirs.vms (LIKE ours.vms INCLUDING ALL);
	INSERT INTO theirs.vms SELECT * FROM ours.vms;
	CREATE TABLE theirs.journal (LIKE ours.journal INCLUDING ALL);
	CREATE SEQUENCE theirs.journal_seq CACHE 1;
	ALTER TABLE theirs.journal ALTER COLUMN seq SET DEFAULT nextval('theirs.journal_seq');
	ANALYZE ours.vms; ANALYZE theirs.vms`

func inSchema(dsn, schema string) string {
	if !strings.Contains(dsn, "://") {
		return dsn + " search_path=" + schema
	}
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + "search_path=" + url.QueryEscape(schema)
}

func openPostgresGorm(dsn string, ids []string) (*gormMoves, error) {
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(peerConnections)
	pool.SetMaxIdleConns(peerConnections)
	db, err := gorm.Open(gormpostgres.New(gormpostgres.Config{Conn: pool}), &gorm.Config{PrepareStmt: true, Logger: logger.Discard})
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &gormMoves{pool: pool, db: db, ids: ids, steps: make([]int, len(ids))}, nil
}
