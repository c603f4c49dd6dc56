package amqpbridge_test

import (
	"fmt"

	"github.com/cloudbus-go/cloudbus/bridge/amqpbridge"
)

// A queue that gets what happens to the volumes of all tenants is bound with this key.
func ExampleBindingKey() {
	key, err := amqpbridge.BindingKey("volume.>")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key)
	// Output: cloudbus.*.volume.#
}
