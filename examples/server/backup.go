package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"

	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
)

var backupName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// makeBackup copies the database, while it is used, to a new file in the folder backups below the data. Who doesn't wait for it gets none.
func (a *api) makeBackup(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	var asked struct {
		Name string `json:"name"`
	}
	if err := decodeObject(body, &asked, []string{"name"}); err != nil {
		return err
	}
	if !backupName.MatchString(asked.Name) {
		return badRequest(nil, "the name %q of the backup must match %s", asked.Name, backupName)
	}
	path := filepath.Join(a.data, "backups", asked.Name+".db")
	if !onPostgres(a.data) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
	}
	err = a.store.Backup(r.Context(), path, gormstore.BackupOptions{})
	if errors.Is(err, gormstore.ErrNoBackup) {
		return &requestError{http.StatusNotImplemented, "the data is in PostgreSQL, whose backups pg_dump makes", nil}
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	plugins.Respond(w, http.StatusCreated, struct {
		Path  string `json:"path"`
		Bytes int64  `json:"bytes"`
	}{path, info.Size()})
	return nil
}
