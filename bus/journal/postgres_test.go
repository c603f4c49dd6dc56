package journal_test

import (
	"testing"

	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// sqlitesOwn are the tests of what only SQLite does, or in its words.
const sqlitesOwn = "TestMigrateAppliesOnce|TestMigratePicksTheDatabasesFolder|TestMigrationOutsideOfATransaction|TestMigrateRefuses|" +
	"TestWhatLooksLikeTheEndOfATransactionIsAllowed|TestIgnoredStatementErrorDoesntHurtTheRest|TestTransactionThatTheDatabaseEnds|" +
	"TestHiddenCommitIsNoticed|TestMemberThatFailsHavingChangedNothingIsLeftOut"

// TestOnPostgreSQL runs the package's tests once more, on PostgreSQL.
func TestOnPostgreSQL(t *testing.T) { postgrestest.Again(t, sqlitesOwn) }

// openPostgres returns the store of a new schema, with the options that both databases have.
func openPostgres(t testing.TB, o sqlite.Options) (*gormstore.Store, error) {
	t.Helper()
	return postgres.Open(postgrestest.Schema(t), postgres.Options{
		Logger: o.Logger, Now: o.Now, Readers: o.Readers, BusyTimeout: o.BusyTimeout, MemberLimit: o.MemberLimit, Retention: o.Retention,
	})
}
