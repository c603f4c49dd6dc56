package journal_test

import (
	"os"
	process "os/exec"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// onPostgres tells a run of these tests that open opens a PostgreSQL schema.
const onPostgres = "CLOUDBUS_JOURNAL_TESTS_ON_POSTGRES"

// sqlitesOwn are the tests of what only SQLite does, or in its words.
const sqlitesOwn = "TestMigrateAppliesOnce|TestMigratePicksTheDatabasesFolder|TestMigrationOutsideOfATransaction|TestMigrateRefuses|" +
	"TestWhatLooksLikeTheEndOfATransactionIsAllowed|TestIgnoredStatementErrorDoesntHurtTheRest|TestTransactionThatTheDatabaseEnds|" +
	"TestHiddenCommitIsNoticed|TestMemberThatFailsHavingChangedNothingIsLeftOut"

// TestOnPostgreSQL runs the package's tests once more, on PostgreSQL.
func TestOnPostgreSQL(t *testing.T) {
	if os.Getenv(onPostgres) != "" {
		t.Skip("this is that run")
	}
	postgrestest.Server(t)
	cmd := process.Command(os.Args[0], "-test.timeout=8m", "-test.skip=^("+sqlitesOwn+")$")
	cmd.Env = append(os.Environ(), onPostgres+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("on PostgreSQL: %v\n%s", err, out)
	}
}

// openPostgres returns the store of a new schema, with the options that both databases have.
func openPostgres(t testing.TB, o sqlite.Options) (*gormstore.Store, error) {
	t.Helper()
	return postgres.Open(postgrestest.Schema(t), postgres.Options{
		Logger: o.Logger, Now: o.Now, Readers: o.Readers, BusyTimeout: o.BusyTimeout, MemberLimit: o.MemberLimit, Retention: o.Retention,
	})
}
