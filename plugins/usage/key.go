package usage

import (
	"database/sql"
	"encoding/binary"
	"slices"
)

// key is what a row of the database has in the columns that a query groups by.
type key struct {
	columns []keyColumn
	packed  []byte
}

type keyColumn struct {
	name   string
	isText bool
	text   sql.RawBytes
	number int64
}

func (q Query) key() *key {
	k := new(key)
	for _, name := range q.columns() {
		k.columns = append(k.columns, keyColumn{name: name, isText: !slices.Contains(columns[BySize], name)})
	}
	return k
}

// targets returns where to scan a row to, before what is in dest.
func (k *key) targets(dest ...any) []any {
	all := make([]any, 0, len(k.columns)+len(dest))
	for i := range k.columns {
		if c := &k.columns[i]; c.isText {
			all = append(all, &c.text)
		} else {
			all = append(all, &c.number)
		}
	}
	return append(all, dest...)
}

// bytes returns the key as one text: texts with their lengths, numbers in eight bytes.
func (k *key) bytes() []byte {
	k.packed = k.packed[:0]
	for i := range k.columns {
		if c := &k.columns[i]; c.isText {
			k.packed = append(binary.AppendUvarint(k.packed, uint64(len(c.text))), c.text...)
		} else {
			k.packed = binary.BigEndian.AppendUint64(k.packed, uint64(c.number))
		}
	}
	return k.packed
}

// row returns a row of the group that the key stands for.
func (k *key) row() (r Row) {
	for i := range k.columns {
		switch c := &k.columns[i]; c.name {
		case "tenant":
			r.Tenant = string(c.text)
		case "kind":
			r.Kind = string(c.text)
		case "meter":
			r.Meter = string(c.text)
		case "resource_id":
			r.ResourceID = string(c.text)
		case "cpus":
			r.CPUs = c.number
		case "memory_mib":
			r.MemoryMiB = c.number
		case "gib":
			r.GiB = c.number
		case "units":
			r.Units = c.number
		}
	}
	return r
}
