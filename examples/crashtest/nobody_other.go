//go:build !unix

package main

import "errors"

func dropGroup(int) error { return errors.ErrUnsupported }
func dropUser(int) error  { return errors.ErrUnsupported }
