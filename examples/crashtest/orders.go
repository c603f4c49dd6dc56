package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// ordersVariable holds the orders of a child in its environment, as JSON.
const ordersVariable = "CLOUDBUS_CRASHTEST_ORDERS"

// orders tell a child what to do.
type orders struct {
	Life     int    `json:"life"` // the how manieth child of this trial it is, from 1
	Dir      string `json:"dir"`
	Postgres string `json:"postgres,omitempty"` // DSN; "": SQLite
	NATS     string `json:"nats"`               // URL of the parent's server
	Seed     uint64 `json:"seed"`
	Callers  int    `json:"callers"`
	Inject   string `json:"inject,omitempty"`  // the fault to have
	Trouble  bool   `json:"trouble,omitempty"` // the database will refuse writes for a while, or a server that stands still will hold a lock: errors of that sort are expected
	Nobody   bool   `json:"nobody,omitempty"`  // give up root's rights first, so that file modes mean something
}

// environment is o as a variable for a child.
func (o orders) environment() (string, error) {
	text, err := json.Marshal(o)
	return ordersVariable + "=" + string(text), err
}

// ordersFromEnvironment returns the orders of this process, if it is a child.
func ordersFromEnvironment() (orders, bool) {
	text, ok := os.LookupEnv(ordersVariable)
	if !ok {
		return orders{}, false
	}
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		slog.Error("wrong "+ordersVariable, "error", err)
		os.Exit(exitFailure)
	}
	return o, true
}

// The files of a trial, below its folder.

const backups = "backup-*.db"

func backupFile(dir string, life, n int) string {
	return filepath.Join(dir, fmt.Sprintf("backup-%04d-%03d.db", life, n))
}

func databaseFile(dir string) string { return filepath.Join(dir, "database", "cloudbus.db") }
func streamDir(dir string) string    { return filepath.Join(dir, "jetstream") }

func ackFile(dir string, life int) string { return filepath.Join(dir, fmt.Sprintf("acks-%04d", life)) }
func replayFile(dir string, life int) string {
	return filepath.Join(dir, fmt.Sprintf("replays-%04d", life))
}
func noteFile(dir, subscription string, life int) string {
	return filepath.Join(dir, fmt.Sprintf("%s-%04d", subscription, life))
}
func logFile(dir string, life int) string { return filepath.Join(dir, fmt.Sprintf("log-%04d", life)) }
