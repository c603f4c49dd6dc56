package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestWrongFlags(t *testing.T) {
	t.Setenv(postgresVariable, "")
	for args, says := range map[string]string{
		"-kills -1":    "-kills -1: from 0",
		"-kills many":  "invalid value",
		"-every 0s":    "-every 0s: above 0",
		"-patience 0s": "-patience 0s: above 0",
		"-callers 0":   "-callers 0: from 1",
		"-servers 0":   "-servers 0: from 1",
		"-servers 2":   "give -postgres too",
		"-inject order -servers 2 -postgres postgres://x": "give -servers 1",
		"-postgres env":                     postgresVariable + " isn't set",
		"-inject all":                       `-inject "all": lost, twice or order`,
		"-disk-full -read-only":             "give one of them",
		"-disk-full -postgres postgres://x": "are for SQLite",
		"-read-only -inject lost":           "leave -disk-full and -read-only out",
		"now":                               `unexpected argument "now"`,
	} {
		t.Run(args, func(t *testing.T) {
			var out bytes.Buffer
			if code := run(t.Context(), strings.Fields(args), &out, &out); code != exitUsage || !strings.Contains(out.String(), says) {
				t.Errorf("exit %d: %s; want %q", code, out.String(), says)
			}
		})
	}
}
