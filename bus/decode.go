package bus

// Decode returns the payload of a stored record as a value of the Go type that is registered for its type and schema, or as Raw if none is.
// What its data don't give is a *DecodeError.
func (b *Bus) Decode(r Record) (payload any, err error) {
	reg := b.registry.find(r.Type, r.Schema)
	if reg == nil {
		return Raw(r.Data), nil
	}
	return reg.codec.decode(&r)
}
