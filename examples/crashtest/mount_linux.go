package main

import "syscall"

// smallSize is room for a database and its log, and soon used up.
const smallSize = "size=64m"

// mountSmall mounts a file system in memory on dir.
func mountSmall(dir string) (unmount func() error, err error) {
	if err := syscall.Mount("crashtest", dir, "tmpfs", 0, smallSize); err != nil {
		return nil, err
	}
	return func() error { return syscall.Unmount(dir, syscall.MNT_DETACH) }, nil
}
