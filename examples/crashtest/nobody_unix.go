//go:build unix

package main

import "syscall"

func dropGroup(id int) error { return syscall.Setgid(id) }
func dropUser(id int) error  { return syscall.Setuid(id) }
