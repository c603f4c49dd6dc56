package natsbridge

import (
	"context"

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
