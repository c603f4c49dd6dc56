package journal_test

import (
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// What begins or ends a transaction is found in each database's own writing, and nothing else is taken for it.
func TestStatementsAreReadAsTheDatabaseReadsThem(t *testing.T) {
	for _, c := range []struct {
		dialect, text string
		ends          bool
		count         int
	}{
		{"sqlite", "CREATE TABLE [x; commit] (a)", false, 1},
		{"postgres", "SELECT (ARRAY[1,2])[1]; COMMIT", true, 2},
		{"postgres", "SELECT '[' ; COMMIT; SELECT ']'", true, 3},
		{"sqlite", "SELECT `; COMMIT`", false, 1},
		{"postgres", "SELECT `; COMMIT", true, 2},
		{"postgres", "DO $$ BEGIN PERFORM 1; END $$", false, 1},
		{"postgres", "DO $do$ BEGIN PERFORM '$$'; END $do$; SELECT 1", false, 2},
		{"postgres", "DO $$ BEGIN END $$; COMMIT", true, 2},
		{"postgres", "SELECT $1; COMMIT; SELECT $1", true, 3},
		{"postgres", "SELECT a$b$ FROM t; COMMIT; SELECT a$b$", true, 3},
		{"postgres", `SELECT E'\'; COMMIT'`, false, 1},
		{"postgres", `SELECT '\'; COMMIT --'`, true, 2},
		{"postgres", `SELECT note'\'; COMMIT --'`, true, 2},
		{"postgres", "SELECT /* /* */ ; COMMIT */ 1", false, 1},
		{"sqlite", "SELECT /* /* */ ; COMMIT", true, 2},
		{"postgres", "SELECT 'it''s; COMMIT'", false, 1},
		{"postgres", `SELECT "; COMMIT"`, false, 1},
		{"postgres", "SELECT 1 -- ; COMMIT", false, 1},
		{"postgres", "CREATE TRIGGER t AFTER INSERT ON things EXECUTE FUNCTION f(); COMMIT", true, 2},
		{"postgres", "ROLLBACK TO SAVEPOINT a", false, 1},
		{"postgres", "START TRANSACTION", true, 1},
		{"postgres", "SELECT $tag", false, 1},
		{"postgres", "SELECT E'", false, 1},
		{"postgres", "/*", false, 0},
	} {
		if ends, count := journal.Ends(c.dialect, c.text); ends != c.ends || count != c.count {
			t.Errorf("%s: %q: ends %t, %d statements, want %t, %d", c.dialect, c.text, ends, count, c.ends, c.count)
		}
	}
}
