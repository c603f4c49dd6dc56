package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

func TestABackupIsADatabaseBelowTheData(t *testing.T) {
	a := newTestAPI(t)
	a.must(201, "POST", "/v1/resources/vm", `{"id":"web1"}`)
	made := a.must(201, "POST", "/v1/backup", `{"name":"monday"}`)
	path, _ := made.json["path"].(string)
	if path != filepath.Join(a.dir, "backups", "monday.db") || made.json["bytes"] == 0.0 {
		t.Errorf("made %s", made.body)
	}
	copied, err := sqlite.Open(path, sqlite.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = copied.Close(t.Context()) }()
	if _, last, err := copied.Writer().Bounds(t.Context()); err != nil || last != 1 {
		t.Errorf("its newest event is %d (%v), want 1", last, err)
	}
	for body, want := range map[string]struct {
		status int
		says   string
	}{
		`{"name":"monday"}`:      {409, "monday.db"},
		`{"name":"../cloudbus"}`: {400, "../cloudbus"},
		`{"name":""}`:            {400, "must match"},
		`{}`:                     {400, "must match"},
		`{"path":"/etc/passwd"}`: {400, `"path"`},
	} {
		got := a.do("POST", "/v1/backup", body)
		if said, _ := got.json["error"].(string); got.status != want.status || !strings.Contains(said, want.says) {
			t.Errorf("%s: %d %s, want %d and %q", body, got.status, got.body, want.status, want.says)
		}
	}
}
