package amqpbridge

import (
	"fmt"
	"strings"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// BindingKey returns the key by which a queue is bound to the exchange for the events of a pattern of the bus, all tenants: cloudbus.*.vm.# for vm.>.
// Errors: one that wraps bridge.ErrSubject.
func BindingKey(pattern string) (string, error) {
	if strings.Contains(pattern, "#") {
		return "", fmt.Errorf("%w: pattern %q: \"#\" would be a wildcard on the broker", bridge.ErrSubject, pattern)
	}
	key, err := bridge.SubjectPattern(pattern)
	if rest, all := strings.CutSuffix(key, ">"); all {
		key = rest + "#"
	}
	return key, err
}
