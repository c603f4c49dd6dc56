package usage

import (
	"cmp"
	"fmt"
)

// Size is how much of a resource a meter counts. Two intervals of different size are never one. The zero Size is that of a thing that is merely there.
type Size struct {
	CPUs      int64 `json:"cpus,omitempty" gorm:"column:cpus"`
	MemoryMiB int64 `json:"memory_mib,omitempty" gorm:"column:memory_mib"`
	GiB       int64 `json:"gib,omitempty" gorm:"column:gib"`
	Units     int64 `json:"units,omitempty" gorm:"column:units"` // of anything else that a meter counts: connections, licences
}

func (s Size) compare(o Size) int {
	return cmp.Or(cmp.Compare(s.CPUs, o.CPUs), cmp.Compare(s.MemoryMiB, o.MemoryMiB), cmp.Compare(s.GiB, o.GiB), cmp.Compare(s.Units, o.Units))
}

// SizeOf makes a meter's Size function of one over the resource itself: T is the kind's struct. Another snapshot is an error.
func SizeOf[T any](size func(*T) Size) func(snapshot any) (Size, error) {
	return func(snapshot any) (Size, error) {
		v, ok := snapshot.(*T)
		if !ok {
			return Size{}, fmt.Errorf("the resource is a %T, not a %T", snapshot, v)
		}
		return size(v), nil
	}
}
