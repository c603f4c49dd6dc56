package main

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	_ "github.com/mattn/go-sqlite3"
)

// onWriter runs a statement on the connection that writes.
func (a *testAPI) onWriter(statement string) {
	a.t.Helper()
	err := a.journal.Do(a.t.Context(), func(tx *journal.Tx) error { return tx.DB().Exec(statement).Error })
	if err != nil {
		a.t.Fatal(err)
	}
}

func TestDatabaseThatTakesNoWrites(t *testing.T) {
	tests := []struct {
		name   string
		status int
		begin  func(a *testAPI) (end func())
	}{
		{"locked", 503, func(a *testAPI) func() {
			other, err := sql.Open("sqlite3", filepath.Join(a.dir, "test.db"))
			if err != nil {
				t.Fatal(err)
			}
			other.SetMaxOpenConns(1)
			if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
				t.Fatal(err)
			}
			return func() {
				if _, err := other.Exec("ROLLBACK"); err != nil {
					t.Error(err)
				}
				if err := other.Close(); err != nil {
					t.Error(err)
				}
			}
		}},
		{"full", 507, func(a *testAPI) func() {
			a.onWriter("PRAGMA max_page_count = 1") // that is: no more than there are
			return func() { a.onWriter("PRAGMA max_page_count = 1000000") }
		}},
		{"read-only", 503, func(a *testAPI) func() {
			a.onWriter("PRAGMA query_only = ON")
			return nil // there is no way back: the writer can't even begin
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newTestAPI(t)
			a.must(201, "POST", "/v1/resources/vm", `{"id":"before"}`)
			end := tt.begin(a)
			created := 0
			var got answer
			for got.status == 0 || got.status == 201 { // a full database may have room on a page yet
				got = a.do("POST", "/v1/resources/vm", fmt.Sprintf(`{"id":"during-%d","name":"%s"}`, created, strings.Repeat("x", 200)))
				if got.status == 201 {
					created++
				}
			}
			if got.status != tt.status || got.json["error"] == "" {
				t.Errorf("%d %s, want %d", got.status, got.body, tt.status)
			}
			if tt.status == 503 && got.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			a.must(200, "GET", "/v1/resources/vm/before", "")
			if created++; end != nil {
				end()
				a.must(201, "POST", "/v1/resources/vm", `{"id":"after"}`)
				created++
			}
			events := a.must(200, "GET", "/v1/events?type=vm.created&limit=1000", "").json["events"].([]any)
			if len(events) != created {
				t.Errorf("%d events of %d creations", len(events), created)
			}
		})
	}
}
