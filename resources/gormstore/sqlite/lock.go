package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// InUseError: another store, of this process or another one, has the file.
type InUseError struct {
	Path  string    `json:"-"`
	PID   int       `json:"pid"` // 0 if it isn't known
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

func (e *InUseError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("sqlite: %s is in use by another store", e.Path)
	}
	return fmt.Sprintf("sqlite: %s is in use by process %d on %s since %s", e.Path, e.PID, e.Host, e.Since.Format(time.RFC3339))
}

// fileLock is a lock that the system drops when the process ends. It is on a file beside the database: opening and closing
// the database's own file would drop SQLite's locks.
type fileLock struct{ file *os.File }

func lockFile(path string) (*fileLock, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, readOnly(err)
	}
	taken, err := tryLock(f)
	if err == nil && !taken {
		err = holder(path, f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l := &fileLock{file: f}
	if err := l.sign(); err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// readOnly says in the journal's words that a file can't be made or opened for writing.
func readOnly(err error) error {
	if errors.Is(err, fs.ErrPermission) || isReadOnlySystem(err) {
		return fmt.Errorf("%w: %w", journal.ErrReadOnly, err)
	}
	return err
}

// sign writes who has the lock.
func (l *fileLock) sign() error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	text, err := json.Marshal(InUseError{PID: os.Getpid(), Host: host, Since: time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err = l.file.WriteAt(append(text, '\n'), 0)
	return err
}

// holder reads who has it.
func holder(path string, f *os.File) error {
	e := &InUseError{Path: path}
	if text, err := io.ReadAll(io.LimitReader(f, 4096)); err == nil {
		_ = json.Unmarshal(text, e) // being written just now, or not ours: the holder has no name then
	}
	return e
}

func (l *fileLock) release() error {
	return errors.Join(l.file.Truncate(0), l.file.Close())
}
