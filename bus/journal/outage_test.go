package journal_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

func TestWhatIsTheDatabasesFault(t *testing.T) {
	for err, outage := range map[error]bool{
		journal.ErrFull: true, journal.ErrReadOnly: true, journal.ErrBusy: true, journal.ErrUnavailable: true, journal.ErrRetry: true, journal.ErrOutcomeUnknown: true,
		journal.ErrTransactionLost: false, journal.ErrText: false, journal.ErrCorrupt: false, journal.ErrMemberTooLong: false, journal.ErrClosed: false,
	} {
		if wrapped := fmt.Errorf("member: %w", err); errors.Is(wrapped, bus.ErrOutage) != outage || !errors.Is(wrapped, err) {
			t.Errorf("%v: an outage is %v, want %v", err, !outage, outage)
		}
	}
	if errors.Is(journal.ErrFull, journal.ErrBusy) {
		t.Error("a full database is a locked one")
	}
}
