package main

import (
	"strings"
	"testing"
)

func TestPlaceHidesThePassword(t *testing.T) {
	if p := place("postgres://cloud:secret@db:5432/cloud?sslmode=require"); strings.Contains(p, "secret") || !strings.Contains(p, "db:5432") {
		t.Errorf("the data is said to be in %s", p)
	}
}
