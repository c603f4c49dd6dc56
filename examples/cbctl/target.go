package main

import (
	"strings"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
)

// target takes a kind and an id from the front of arguments, written as "vm web1" or "vm/web1".
func target(args []string) (kind, id string, rest []string, err error) {
	if len(args) == 0 {
		return "", "", nil, badUsage("which resource? (vm web1, or vm/web1)")
	}
	kind, id, joined := strings.Cut(args[0], "/")
	rest = args[1:]
	if !joined && len(rest) > 0 {
		id, rest = rest[0], rest[1:]
	}
	if kind == "" || id == "" {
		return "", "", nil, badUsage("which %s? (vm web1, or vm/web1)", args[0])
	}
	return kind, id, rest, nil
}

func resourcePath(kind, id string) string { return client.Path("v1", "resources", kind, id) }
