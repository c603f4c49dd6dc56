package bus_test

import (
	"bytes"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

func TestNewIDIsAUUIDVersion7ThatSortsByTime(t *testing.T) {
	at := time.Date(2026, 11, 21, 1, 2, 3, 456e6, time.UTC)
	id := bus.NewID(at)
	if s := id.String(); len(s) != 36 || s[14] != '7' || (s[19] != '8' && s[19] != '9' && s[19] != 'a' && s[19] != 'b') {
		t.Errorf("%s isn't a version 7 UUID", s)
	}
	if !id.Time().Equal(at) {
		t.Errorf("Time = %v, want %v", id.Time(), at)
	}
	last := id
	for i := range 100_000 {
		next := bus.NewID(at.Add(time.Duration(i) * time.Microsecond))
		if bytes.Compare(next[:], last[:]) <= 0 {
			t.Fatalf("%v doesn't sort after %v", next, last)
		}
		last = next
	}
}

func TestNewIDIsUniqueInTheProcess(t *testing.T) {
	at := time.Now()
	var mu sync.Mutex
	seen := make(map[bus.ID]bool)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var own []bus.ID
			for range 5000 {
				own = append(own, bus.NewID(at))
			}
			mu.Lock()
			defer mu.Unlock()
			for _, id := range own {
				seen[id] = true
			}
		})
	}
	wg.Wait()
	if len(seen) != 8*5000 {
		t.Errorf("%d different IDs of %d", len(seen), 8*5000)
	}
}

func TestIDAsTextJSONAndSQL(t *testing.T) {
	for _, id := range []bus.ID{bus.NewID(time.Now()), {}} {
		parsed, err := bus.ParseID(id.String())
		if err != nil || parsed != id {
			t.Errorf("ParseID(%q) = %v, %v", id, parsed, err)
		}
		data, err := json.Marshal(id)
		var back bus.ID
		if err != nil || json.Unmarshal(data, &back) != nil || back != id {
			t.Errorf("JSON %s: %v, %v", data, back, err)
		}
		value, err := id.Value()
		if err != nil {
			t.Fatal(err)
		}
		for _, src := range []any{value, []byte(id.String())} {
			var scanned bus.ID
			if err := scanned.Scan(src); err != nil || scanned != id {
				t.Errorf("Scan(%v) = %v, %v", src, scanned, err)
			}
		}
	}
	id := bus.NewID(time.Now())
	if err := id.Scan(nil); err != nil || !id.IsZero() {
		t.Errorf("Scan(nil) = %v, %v", id, err)
	}
	if err := id.Scan(42); err == nil {
		t.Error("Scan(42): no error")
	}
	for _, bad := range []string{"x", "0190163d-8694-739b-aea5-966c26f8ad9", "0190163d-8694-739b-aea5-966c26f8ad9g", "0190163d_8694-739b-aea5-966c26f8ad91"} {
		if _, err := bus.ParseID(bad); err == nil {
			t.Errorf("ParseID(%q): no error", bad)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("0190163d-8694-739b-aea5-966c26f8ad91")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := bus.ParseID(s)
		if err != nil {
			return
		}
		again, err := bus.ParseID(id.String())
		if err != nil || again != id {
			t.Fatalf("ParseID(%q) = %v, which reads back as %v, %v", s, id, again, err)
		}
	})
}

func TestHeaderSubject(t *testing.T) {
	for want, h := range map[string]bus.Header{
		"vm/42": {Kind: "vm", ResourceID: "42"}, "vm": {Kind: "vm"}, "42": {ResourceID: "42"}, "": {},
	} {
		if got := h.Subject(); got != want {
			t.Errorf("Subject = %q, want %q", got, want)
		}
	}
}
