package alerts

import (
	"errors"
	"reflect"
	"slices"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/cluster"
	"github.com/cloudbus-go/cloudbus/resources/container"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// world is the kinds that rules may be about.
type world struct{ kinds map[string]kind }

// kind is a kind's machine, and its description if there is one: what was added by Options.Machines alone has no fields.
type kind struct {
	machine *fsm.Machine
	info    *resources.Info
}

// Kinds returns the descriptions of an engine's kinds, for ParseRules.
func Kinds(e *resources.Engine) []*resources.Info {
	var all []*resources.Info
	for _, name := range e.Kinds() {
		if h, err := e.Kind(name); err == nil {
			all = append(all, h.Info())
		}
	}
	return all
}

// builtIn returns the descriptions of the built-in kinds.
func builtIn() ([]*resources.Info, error) {
	var all []*resources.Info
	var errs []error
	add := func(i *resources.Info, err error) { all, errs = append(all, i), append(errs, err) }
	add(resources.Describe[vm.VM](vm.Machine))
	add(resources.Describe[volume.Volume](volume.Machine))
	add(resources.Describe[nic.NIC](nic.Machine))
	add(resources.Describe[network.Network](network.Machine))
	add(resources.Describe[publicip.PublicIP](publicip.Machine))
	add(resources.Describe[snapshot.Snapshot](snapshot.Machine))
	add(resources.Describe[template.Template](template.Machine))
	add(resources.Describe[host.Host](host.Machine))
	add(resources.Describe[hostadmin.HostAdmin](hostadmin.Machine))
	add(resources.Describe[container.Container](container.Machine))
	add(resources.Describe[cluster.Cluster](cluster.Machine))
	return all, errors.Join(errs...)
}

func worldOf(infos []*resources.Info) *world {
	w := &world{kinds: make(map[string]kind)}
	for _, i := range infos {
		if i != nil {
			w.kinds[i.Name] = kind{i.Machine, i}
		}
	}
	return w
}

func (w *world) names() []string { return sortedKeys(w.kinds) }

// states lists what the states of some kinds may be; of all if none is named.
func (w *world) states(kinds []string) []string {
	return w.each(kinds, func(m *fsm.Machine) (names []string) {
		for _, s := range m.States() {
			names = append(names, string(s))
		}
		return names
	})
}

func (w *world) triggers(kinds []string) []string {
	return w.each(kinds, func(m *fsm.Machine) (names []string) {
		for _, t := range m.Triggers() {
			names = append(names, string(t))
		}
		return names
	})
}

func (w *world) each(kinds []string, list func(*fsm.Machine) []string) []string {
	if len(kinds) == 0 {
		kinds = w.names()
	}
	var all []string
	for _, name := range kinds {
		if k, ok := w.kinds[name]; ok {
			all = append(all, list(k.machine)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// numbers lists the fields that can be summed up.
func (k kind) numbers() []string {
	return k.fields(func(f resources.Field) bool { return f.Name != "version" && whole(f.Type) })
}

// texts lists the fields that can be a common cause, or a scope.
func (k kind) texts() []string {
	return k.fields(func(f resources.Field) bool { return f.Type.Kind() == reflect.String })
}

func (k kind) fields(fits func(resources.Field) bool) (names []string) {
	if k.info == nil {
		return nil
	}
	for _, f := range k.info.Fields {
		if fits(f) {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

func whole(t reflect.Type) bool {
	v := reflect.Zero(t)
	return v.CanInt() || v.CanUint()
}

// text returns a field of a resource, *T, as text; "" if there is no such field.
func (k kind) text(resource any, field string) string {
	if k.info == nil || resource == nil {
		return ""
	}
	f, ok := k.info.Field(field)
	if !ok || f.Type.Kind() != reflect.String {
		return ""
	}
	return reflect.ValueOf(resource).Elem().FieldByIndex(f.Index).String()
}

// maxAmount is what one resource counts at most, either way: JSON's largest exact number.
const maxAmount = 1<<53 - 1

// number returns a field of a resource, *T.
func (k kind) number(resource any, field string) int64 {
	f, ok := k.info.Field(field)
	if !ok {
		return 0
	}
	v := reflect.ValueOf(resource).Elem().FieldByIndex(f.Index)
	if v.CanUint() {
		return int64(min(v.Uint(), maxAmount))
	}
	return max(-maxAmount, min(v.Int(), maxAmount))
}
