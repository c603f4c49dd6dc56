package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows that something goes on, on a terminal; elsewhere it is silent.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress begins to show it if standard error is a terminal. What is written to a terminal too needs none: beside is where it goes.
func (a *app) newProgress(what string, beside io.Writer) *progress {
	if !isTerminal(a.stderr) || beside != nil && isTerminal(beside) {
		return &progress{}
	}
	return &progress{progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(a.stderr), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
		progressbar.OptionSpinnerType(14), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
	)}
}

// add notes that n more are done.
func (p *progress) add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n) // only a picture
	}
}

// describe says what is going on now.
func (p *progress) describe(what string) {
	if p.bar != nil {
		p.bar.Describe(what)
	}
}

// end takes it from the screen.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish() // only a picture
	}
}
