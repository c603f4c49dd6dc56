package postgres

import (
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// oldest is the oldest version of PostgreSQL that all statements are known to work on.
const oldest = 130000

// parse reads a DSN. What it sets for the session wins over ours.
func parse(dsn string, connectTimeout time.Duration) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("the DSN can't be read: %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	set(config, "application_name", "cloudbus")
	set(config, "client_encoding", "UTF8")
	set(config, "standard_conforming_strings", "on") // as the journal reads statements
	// A peer that is gone without a word is noticed within seconds, on both sides.
	set(config, "tcp_keepalives_idle", "5")
	set(config, "tcp_keepalives_interval", "2")
	set(config, "tcp_keepalives_count", "3")
	return config, nil
}

// set sets a parameter of the session, unless the DSN has it.
func set(config *pgx.ConnConfig, parameter, value string) {
	if _, ok := config.RuntimeParams[parameter]; !ok {
		config.RuntimeParams[parameter] = value
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(max(1, d.Milliseconds()), 10) }

// checkServer refuses a server that is too old, a database that isn't in UTF-8, and a search path without a schema to make tables in.
// It returns that schema.
func checkServer(db *sql.DB) (string, error) {
	var version int
	var encoding string
	var schema sql.NullString
	err := db.QueryRow("SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_schema()").Scan(&version, &encoding, &schema)
	switch {
	case err != nil:
		return "", classify(err)
	case version < oldest:
		return "", fmt.Errorf("PostgreSQL %d.%d is too old: it must be %d or newer", version/10000, version%10000, oldest/10000)
	case encoding != "UTF8":
		return "", fmt.Errorf("the database's encoding is %s: it must be UTF8", encoding)
	case !schema.Valid:
		return "", fmt.Errorf("no schema of the search path exists (CREATE SCHEMA makes one)")
	}
	return schema.String, nil
}
