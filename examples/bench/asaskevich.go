package main

import "github.com/asaskevich/EventBus"

const topic = "vm.operation.start.progress"

// asaskevich runs handlers on the publisher's goroutine, or each call in a goroutine of its own.
type asaskevich struct{ bus EventBus.Bus }

func newAsaskevich(handlers []handler) (carrier, error) {
	a := asaskevich{EventBus.New()}
	for _, h := range handlers {
		if err := a.bus.Subscribe(topic, func(e event) { h(e.Payload.Sent) }); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func newAsaskevichAsync(handlers []handler) (carrier, error) {
	a := asaskevich{EventBus.New()}
	for _, h := range handlers {
		if err := a.bus.SubscribeAsync(topic, func(e event) { h(e.Payload.Sent) }, false); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a asaskevich) publish(sent int64) { a.bus.Publish(topic, stamped(sent)) }

func (a asaskevich) close() error {
	a.bus.WaitAsync()
	return nil
}
