package bus_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Fields are looked at eight bytes at a time: a wrong byte is found wherever it stands.
func TestControlCharacterIsFoundAtEachPlace(t *testing.T) {
	b := newBus(t, nil)
	c := b.Client("c")
	for _, bad := range []string{"\x00", "\x1f", "\x7f", "\n", "\u0085", "\xff", "\ufffe"} {
		for n := range 20 {
			for at := range n + 1 {
				tenant := strings.Repeat("~", at) + bad + strings.Repeat(" ", n-at)
				var h *bus.HeaderError
				if err := bus.Publish(t.Context(), c, noted{}, bus.WithTenant(tenant)); !errors.As(err, &h) || h.Field != "Tenant" {
					t.Fatalf("%q: %v", tenant, err)
				}
			}
		}
	}
	for n := range 40 {
		for _, good := range []string{" ", "~", "é", "\U0001f600"} {
			if err := bus.Publish(t.Context(), c, noted{}, bus.WithTenant(strings.Repeat(good, n))); err != nil {
				t.Fatalf("%d times %q: %v", n, good, err)
			}
		}
	}
}
