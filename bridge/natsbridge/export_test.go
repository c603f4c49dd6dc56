package natsbridge

import (
	"context"
	"net"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// RemoteJournal returns the journal of Remote's bus. end closes it, and so does detaching a bus.
func RemoteJournal(ctx context.Context, url string, o RemoteOptions) (j bus.Journal, end func(), err error) {
	r, err := openRemote(ctx, url, o)
	if err != nil {
		return nil, nil, err
	}
	return r, r.close, nil
}

// Sleep has a lease of a RemoteJournal last no longer, as if the process had been stopped and woke up now, with nothing noticed yet.
func Sleep(l bus.Lease) {
	now := time.Now()
	l.(*remoteLease).until.Store(&now)
}

// CoalesceRoom is coalesceRoom.
const CoalesceRoom = coalesceRoom

// Coalesce is coalesce, with how many bytes lie there.
func Coalesce(c net.Conn) (coalescing net.Conn, pending func() int) {
	w := coalesce(c)
	return w, func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.pending)
	}
}

// PlainReceipt is plainReceipt.
var PlainReceipt = plainReceipt
