package postgrestest

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/cloudbus-go/cloudbus/resources/gormstore/postgres" // registers the driver pgx
)

// Variable names the server: a DSN such as postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable, of a user who may create schemas.
const Variable = "CLOUDBUS_TEST_POSTGRES"

// Server returns the DSN of the server, and skips the test if there is none.
func Server(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv(Variable)
	if dsn == "" {
		t.Skip("NOT RUN: this needs a PostgreSQL server, and " + Variable + " names none")
	}
	return dsn
}

var made atomic.Int64

// Schema makes a schema and returns a DSN by which everything is made in it. It is dropped at the end of the test, with all that is in it.
// What is committed in it needn't be on the disk (synchronous_commit is off): no test turns off the server's power.
func Schema(t testing.TB) (dsn string) {
	t.Helper()
	server := Server(t)
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatalf("%s: %v", Variable, err)
	}
	name := fmt.Sprintf("cloudbus_test_%d_%d_%d", os.Getpid(), time.Now().UnixNano()%1e9, made.Add(1))
	if _, err := db.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatalf("%s: create schema: %v", Variable, err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Errorf("drop schema %s: %v", name, err)
		}
		_ = db.Close()
	})
	return With(With(server, "search_path", name), "synchronous_commit", "off")
}

// With returns a DSN that sets a parameter of the session too.
func With(dsn, parameter, value string) string {
	if !strings.Contains(dsn, "://") {
		return dsn + " " + parameter + "=" + value
	}
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + parameter + "=" + url.QueryEscape(value)
}
