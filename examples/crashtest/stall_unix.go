//go:build unix

package main

import "syscall"

// stop lets the child stand still, wherever it is; resume lets it go on.
func (p *process) stop() error   { return p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *process) resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }
