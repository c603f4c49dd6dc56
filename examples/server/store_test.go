package main

import (
	"strings"
	"testing"
)

func TestPlaceHidesThePassword(t *testing.T) {
	c := config{data: "postgres://cloud:secret@db:5432/cloud?sslmode=require"}
	if place := c.place(); strings.Contains(place, "secret") || !strings.Contains(place, "db:5432") {
		t.Errorf("the data is said to be in %s", place)
	}
}
