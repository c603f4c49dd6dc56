package journal

import (
	"errors"

	"github.com/cloudbus-go/cloudbus/bus"
)

var (
	// ErrOutcomeUnknown: whether the member was committed isn't known: the database went away during COMMIT, or the caller's context ended while
	// another member of the same transaction took long.
	ErrOutcomeUnknown error = outage("journal: the outcome is unknown")
	// ErrBusy: another connection holds the database's lock.
	ErrBusy error = outage("journal: database is locked")
	// ErrFull: there is no room for the write.
	ErrFull error = outage("journal: database or disk is full")
	// ErrReadOnly: the database can't be written.
	ErrReadOnly error = outage("journal: database is read-only")
	// ErrCorrupt: the file is damaged, or isn't a database.
	ErrCorrupt = errors.New("journal: not a database, or a damaged one")
	// ErrRetry: the database ended the transaction for the sake of another one (deadlock, serialization failure); it may well succeed if it runs again.
	ErrRetry error = outage("journal: the database gave another transaction the way")
	// ErrUnavailable: the database can't be reached, or the connection to it was lost; nothing of what it was lost in was committed.
	ErrUnavailable error = outage("journal: the database can't be reached")
	// ErrText: the database can't store a text: PostgreSQL none with a zero byte, and none that isn't UTF-8.
	ErrText = errors.New("journal: the database can't store this text")
	// ErrClosed: the journal is closed.
	ErrClosed = errors.New("journal: closed")
	// ErrNotAttached: Append needs a bus that stamps and encodes the event, and none is attached.
	ErrNotAttached = errors.New("journal: no bus is attached (give the journal to bus.New)")
	// ErrMemberEnded: a Tx was used after its member had ended.
	ErrMemberEnded = errors.New("journal: the member has ended, its transaction can't be used any more")
	// ErrMemberTooLong: the member took longer than Options.MemberLimit and was rolled back.
	ErrMemberTooLong = errors.New("journal: the member took too long and was rolled back")
	// ErrTransactionLost: the database ended the transaction by itself (full disk, I/O error); nothing of the member was committed.
	ErrTransactionLost = errors.New("journal: the database has ended the transaction")
	// ErrNewerSchema: the database was migrated by a newer binary.
	ErrNewerSchema = errors.New("journal: the database's schema is newer than this binary")
	// ErrCursorPastEnd: a cursor is above the newest number, as after a restore of an older backup.
	ErrCursorPastEnd = bus.ErrCursorPastEnd
	// ErrSubscribed: the cursor belongs to a subscription that runs.
	ErrSubscribed = errors.New("journal: the subscription is running")
	// ErrInWriter: the caller is itself a member of the writer it would wait for.
	ErrInWriter = bus.ErrInWriter
)

// outage is an error that is the database's, whatever was to be written: bus.ErrOutage.
type outage string

func (o outage) Error() string { return string(o) }

// Is makes errors.Is(err, bus.ErrOutage) true.
func (o outage) Is(target error) bool { return target == bus.ErrOutage }

// QueryError: a field of a Query that is wrong.
type QueryError struct {
	Field, Reason string
}

func (e *QueryError) Error() string { return "journal: query: " + e.Field + ": " + e.Reason }
