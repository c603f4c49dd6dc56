package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if _, ok := os.LookupEnv(ordersVariable); ok { // a child of one of the tests
		main()
		return
	}
	goleak.VerifyTestMain(m)
}
