package main

import (
	"fmt"
	"syscall"
)

// mountSmall mounts a file system of so many MiB, in memory, on dir.
func mountSmall(dir string, size int) (unmount func() error, err error) {
	if err := syscall.Mount("crashtest", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", size)); err != nil {
		return nil, err
	}
	return func() error { return syscall.Unmount(dir, syscall.MNT_DETACH) }, nil
}
