package bus

import "encoding/json"

// marshal encodes a payload. One whose methods panic is an error: they run on goroutines that others need.
func marshal(v any) (data []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			data, err = nil, newPanicError(r)
		}
	}()
	data, err = json.Marshal(v)
	return data, sound(err)
}

// unmarshal decodes a payload, in the same way.
func unmarshal(data []byte, into any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = newPanicError(r)
		}
	}()
	return sound(json.Unmarshal(data, into))
}
