package main

import "github.com/asaskevich/EventBus"

const topic = "vm.operation.start.progress"

// asaskevich is that library, or ours under its face. It runs handlers on the publisher's goroutine, or each call in a goroutine of its own.
type asaskevich struct{ bus EventBus.Bus }

func newAsaskevich(handlers []handler) (carrier, error) {
	return subscribeSync(EventBus.New(), handlers)
}

func newAsaskevichAsync(handlers []handler) (carrier, error) {
	return subscribeAsync(EventBus.New(), handlers)
}

func subscribeSync(b EventBus.Bus, handlers []handler) (carrier, error) {
	a := asaskevich{b}
	for _, h := range handlers {
		if err := a.bus.Subscribe(topic, func(e event) { h(e.Payload.Sent) }); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func subscribeAsync(b EventBus.Bus, handlers []handler) (carrier, error) {
	a := asaskevich{b}
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
