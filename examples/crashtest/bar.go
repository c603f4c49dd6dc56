package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows on a terminal how many kills there were; elsewhere it shows nothing.
type bar struct{ bar *progressbar.ProgressBar }

func newBar(w io.Writer, kills int) *bar {
	options := []progressbar.Option{progressbar.OptionSetVisibility(false)}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			options = []progressbar.Option{
				progressbar.OptionSetWriter(w),
				progressbar.OptionSetDescription("killing"),
				progressbar.OptionShowCount(),
				progressbar.OptionThrottle(100 * time.Millisecond),
				progressbar.OptionClearOnFinish(),
			}
		}
	}
	return &bar{progressbar.NewOptions64(int64(max(1, kills)), options...)}
}

// What a bar can't show isn't worth an error.
func (b *bar) set(kills int) { _ = b.bar.Set(kills) }
func (b *bar) close()        { _ = b.bar.Finish() }
