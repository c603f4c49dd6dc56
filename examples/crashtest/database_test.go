package main

import (
	"os"
	"testing"
)

func TestSessionsOfATrialWorkInItsSchema(t *testing.T) {
	for dsn, want := range map[string]string{
		"host=db user=cloud":             "host=db user=cloud search_path=mine",
		"postgres://cloud@db/x":          "postgres://cloud@db/x?search_path=mine",
		"postgres://cloud@db/x?sslmode=": "postgres://cloud@db/x?sslmode=&search_path=mine",
	} {
		if got := within(dsn, "mine"); got != want {
			t.Errorf("within(%s) = %s, want %s", dsn, got, want)
		}
	}
}

func TestNothingIsLostOnPostgreSQL(t *testing.T) {
	if os.Getenv(postgresVariable) == "" {
		t.Skip("NOT RUN: this needs a PostgreSQL server, and " + postgresVariable + " names none")
	}
	code, o := trialOf(t, "-kills", "1", "-postgres", "env")
	if code != exitOK || !o.OK || o.Database != "postgres" || o.Kills.All != 1 || o.Acknowledged == 0 {
		t.Errorf("exit %d, %+v", code, o)
	}
}
