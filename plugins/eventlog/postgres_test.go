package eventlog_test

import (
	"testing"

	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
)

// TestOnPostgreSQL runs the package's tests once more, on PostgreSQL.
func TestOnPostgreSQL(t *testing.T) { postgrestest.Again(t, "Example") }
