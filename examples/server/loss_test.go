package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// What was acknowledged before the server ended, in whatever way, is there after it: the resource, its event, and the event on
// the broker, once.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(end.String(), func(t *testing.T) {
			data := t.TempDir()
			p := startProcess(t, "-data", data, "-log", "error")
			acknowledged := createUntilItEnds(p, 8, func(n int64) {
				if n == 100 {
					_ = p.cmd.Process.Signal(end) // what becomes of it shows below
				}
			})
			err := p.cmd.Wait()
			if (err == nil) != (end == syscall.SIGTERM) {
				t.Fatalf("after %v: %v\n%s", end, err, p.log)
			}
			http.DefaultClient.CloseIdleConnections()

			again := startProcess(t, "-data", data, "-log", "error")
			for _, id := range acknowledged {
				again.request("GET", "/v1/resources/vm/"+id, "")
			}
			again.stop()
			http.DefaultClient.CloseIdleConnections()

			var r struct {
				Resources map[string]map[string]int `json:"resources"`
				Events    map[string]int            `json:"events"`
				Published int                       `json:"published"`
			}
			if err := json.Unmarshal([]byte(replayOf(t, data, "/dev/null")), &r); err != nil {
				t.Fatal(err)
			}
			n := r.Resources["vm"]["stopped"]
			if n < len(acknowledged) || len(acknowledged) < 100 || r.Events["vm.created"] != n || r.Published != n {
				t.Errorf("%d acknowledged, then %+v", len(acknowledged), r)
			}
		})
	}
}

// createUntilItEnds creates VMs from several goroutines until the server doesn't answer any more, and returns the ids of those
// that it acknowledged. done is told how many there are after each.
func createUntilItEnds(p *process, goroutines int, done func(n int64)) []string {
	var (
		wg    sync.WaitGroup
		count atomic.Int64
		mu    sync.Mutex
		ids   []string
	)
	for g := range goroutines {
		wg.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("vm-%d-%d", g, i)
				resp, err := http.Post(p.url+"/v1/resources/vm", "application/json", strings.NewReader(`{"id":"`+id+`"}`))
				if err != nil {
					return
				}
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusCreated {
					continue
				}
				mu.Lock()
				ids = append(ids, id)
				mu.Unlock()
				done(count.Add(1))
			}
		})
	}
	wg.Wait()
	return ids
}
