package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// trouble is what became of a database that couldn't be written for a while.
type trouble struct {
	By      []string `json:"by"`                // how it was made
	Refused int64    `json:"refused"`           // changes
	First   string   `json:"first"`             // what the first refusal said
	Opening string   `json:"opening,omitempty"` // what a server said that was started on it
}

// troubled returns a server under load that expects refusals.
func (t *trial) troubled(ctx context.Context) (*process, error) {
	p, err := t.start(func(o *orders) { o.Trouble = true })
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx, saidReady, t.cfg.patience); err != nil {
		return nil, err
	}
	return p, t.pass(ctx, t.cfg.every)
}

// command gives one and waits until it is carried out.
func (t *trial) command(ctx context.Context, p *process, command string) error {
	p.tell(command)
	return p.await(ctx, saidDone+" "+command, t.cfg.patience)
}

// noteRefusals takes down what a server that has ended said about the changes that were refused. Error: there were none.
func (t *trial) noteRefusals(p *process) error {
	said, _ := p.after(saidRefused)
	var n int64
	var first string
	if _, err := fmt.Sscanf(said, "%d %q", &n, &first); err != nil {
		return fmt.Errorf("it said %q of the changes that were refused: %w", said, err)
	}
	if n == 0 {
		return errors.New("no change was refused")
	}
	if t.outcome.Trouble.Refused += n; t.outcome.Trouble.First == "" {
		t.outcome.Trouble.First = first
	}
	return nil
}

// says reports whether a failure of a child is about what err is about: of another process there is only the text.
func says(failure, err error) bool {
	return failure != nil && strings.Contains(failure.Error(), err.Error())
}
