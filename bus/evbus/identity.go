package evbus

import (
	"reflect"
	"runtime"
	"strings"
	"unsafe"
)

// identity tells functions apart. Go doesn't compare them; what a func value points to is a closure: the address of
// its code, and what it has captured. That layout is the gc compiler's; only method values with pointer receivers need it.
type identity struct {
	typ      reflect.Type
	name     string
	closure  unsafe.Pointer // kept: its address isn't used again
	code     uintptr
	receiver unsafe.Pointer // of a method value with a pointer receiver, else nil
	exact    bool           // its code says nothing of what it does
}

// methodValue is the closure that x.Method makes if the receiver is a pointer.
type methodValue struct {
	code     uintptr
	receiver unsafe.Pointer
}

// identify describes a func that isn't nil.
func identify(fn any) identity {
	v := reflect.ValueOf(fn)
	id := identity{typ: v.Type(), code: v.Pointer(), closure: (*[2]unsafe.Pointer)(unsafe.Pointer(&fn))[1]}
	if f := runtime.FuncForPC(id.code); f != nil {
		id.name = f.Name()
	}
	id.exact = strings.HasPrefix(id.name, "reflect.") // MakeFunc: one code for all
	if hasPointerReceiver(id.name) {
		id.receiver = (*methodValue)(id.closure).receiver
	}
	return id
}

// hasPointerReceiver reports whether a function's name is that of a method value like pkg.(*T).Method-fm. Those of generic types may capture more.
func hasPointerReceiver(name string) bool {
	name, ok := strings.CutSuffix(name, "-fm")
	if !ok || strings.ContainsAny(name, "[]") {
		return false
	}
	dot := strings.LastIndexByte(name, '.')
	return dot > 0 && name[dot-1] == ')' && strings.Contains(name[:dot], "(*")
}

// same reports whether both are one func value, or one method of one receiver.
func (id identity) same(o identity) bool {
	return id.typ == o.typ && (id.closure == o.closure || id.receiver != nil && id.receiver == o.receiver && id.code == o.code)
}

// alike reports whether both might be meant to be the same: they share code, and neither shows what it has captured.
func (id identity) alike(o identity) bool {
	return id.typ == o.typ && id.code == o.code && id.receiver == nil && !id.exact
}

// String names the function for people.
func (id identity) String() string {
	if id.name == "" {
		return id.typ.String()
	}
	return id.name[strings.LastIndexByte(id.name, '/')+1:] + " " + id.typ.String()
}
