package bus_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
	"pgregory.net/rapid"
)

// base is embedded, as the kinds of resources embed theirs.
type base struct {
	ID        string    `json:"id"`
	Operation bus.ID    `json:"operation,omitzero"`
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until,omitzero"`
	Token     string    `json:"token" cloudbus:"secret"`
	Key       []byte    `json:"key" cloudbus:"secret"`
	note      any
}

type disk struct {
	Path   string            `json:"path"`
	Size   *int64            `json:"size,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
	Secret string            `json:"secret" cloudbus:"secret"`
	At     *time.Time        `json:"at"`
	Next   *disk             `json:"next,omitempty"`
}

type machine struct {
	base
	Resource
	Name    string              `json:"name"`
	Disks   []disk              `json:"disks"`
	ByName  map[string]*disk    `json:"by_name"`
	Pair    [2]time.Time        `json:"pair"`
	History []time.Time         `json:"history,omitempty"`
	Ports   map[uint16]disk     `json:"ports"`
	Extra   json.RawMessage     `json:"extra,omitempty"`
	Serial  *big.Int            `json:"serial"`
	Load    float64             `json:"load"`
	Bytes   []byte              `json:"bytes"`
	Local   string              `json:"-"`
	Nested  map[string][]string `json:"nested,omitempty"`
}

// Resource has a name of its own to be embedded beside base.
type Resource struct {
	Zone string `json:"zone"`
}

func (machine) EventType() string { return "machine.changed" }

func TestSanitisedLeavesThePublishersValueAlone(t *testing.T) {
	at := time.Now()
	local := at.In(time.FixedZone("X", 3600))
	d := &disk{Path: "/", Secret: "s", At: &local, Next: &disk{Secret: "deep"}}
	in := machine{
		base:    base{Since: at, Token: "t", Key: []byte("k")},
		Disks:   []disk{{Secret: "uno"}},
		ByName:  map[string]*disk{"root": d},
		Pair:    [2]time.Time{at, local},
		History: []time.Time{local},
		Ports:   map[uint16]disk{80: {Secret: "web"}},
	}
	out, err := bus.Sanitised(in)
	if err != nil {
		t.Fatal(err)
	}
	if in.Token != "t" || in.Disks[0].Secret != "uno" || d.Secret != "s" || d.Next.Secret != "deep" || in.Ports[80].Secret != "web" || in.ByName["root"] != d || in.History[0] != local || d.At != &local {
		t.Error("the publisher's value was changed")
	}
	got, _ := json.Marshal(out)
	for _, secret := range []string{`"t"`, "uno", `"s"`, "deep", "web", "aw=="} {
		if strings.Contains(string(got), secret) {
			t.Errorf("secret %s is still there: %s", secret, got)
		}
	}
	root := out.ByName["root"]
	for _, tm := range []time.Time{out.Since, out.Pair[0], out.Pair[1], out.History[0], *root.At} {
		if !tm.Equal(at) || tm.Location() != time.UTC || strings.Contains(tm.String(), "m=") {
			t.Errorf("time is %v", tm)
		}
	}
}

type anything struct{ V any }

func (anything) EventType() string { return "any.thing" }

func TestSanitisedLooksIntoInterfaces(t *testing.T) {
	in := anything{V: []any{disk{Secret: "x"}, &disk{Secret: "y"}, map[string]any{"a": disk{Secret: "z"}}}}
	out, err := bus.Sanitised(in)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(out)
	if strings.ContainsAny(string(text), "xyz") {
		t.Errorf("a secret got through: %s", text)
	}
	if in.V.([]any)[1].(*disk).Secret != "y" {
		t.Error("the publisher's value was changed")
	}
}

func TestSanitisedCyclicPayloadIsAnError(t *testing.T) {
	d := &disk{}
	d.Next = d
	b := newBus(t, nil)
	err := bus.Publish(t.Context(), b.Client("c"), anything{V: d})
	if e := (*bus.PayloadError)(nil); !errors.As(err, &e) {
		t.Errorf("Publish of a cyclic payload: %v, want *PayloadError", err)
	}
}

// For each registered payload: what is recorded, read back and encoded is the same, and so is the value.
func TestRegisteredPayloadsReadBackAsTheyWereRecorded(t *testing.T) {
	j := bustest.NewJournal()
	b := newBus(t, j)
	if err := bus.Register[machine](b, "machine.>", 1); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		in := drawMachine(t)
		r, err := b.Prepare(t.Context(), in)
		if err != nil {
			t.Fatalf("Prepare: %v", err)
		}
		var once, twice machine
		if err := json.Unmarshal(r.Data, &once); err != nil {
			t.Fatal(err)
		}
		again, err := b.Prepare(t.Context(), once)
		if err != nil {
			t.Fatalf("Prepare of what was read: %v", err)
		}
		if err := json.Unmarshal(again.Data, &twice); err != nil {
			t.Fatal(err)
		}
		if string(r.Data) != string(again.Data) || !reflect.DeepEqual(once, twice) {
			t.Fatalf("recorded %s\nread     %s", r.Data, again.Data)
		}
		clean, err := bus.StrictlySanitised(in)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(clean, once) {
			t.Fatalf("sanitised %#v\nread      %#v\nfrom %s", clean, once, r.Data)
		}
	})
}

func drawMachine(t *rapid.T) machine {
	str := rapid.OneOf(rapid.String(), rapid.Just("\xff\xfe bad"), rapid.Just("<&>\u2028"))
	tm := rapid.Custom(func(t *rapid.T) time.Time {
		at := time.Unix(rapid.Int64Range(-1e9, 4e9).Draw(t, "s"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns"))
		if rapid.Bool().Draw(t, "now") {
			at = time.Now()
		}
		return rapid.SampledFrom([]time.Time{at, at.UTC(), at.In(time.FixedZone("Y", -7200)), {}}).Draw(t, "time")
	})
	dsk := rapid.Custom(func(t *rapid.T) disk {
		d := disk{Path: str.Draw(t, "path"), Secret: str.Draw(t, "secret"), Tags: rapid.MapOfN(str, str, 0, 2).Draw(t, "tags")}
		if rapid.Bool().Draw(t, "more") {
			at, n := tm.Draw(t, "at"), rapid.Int64().Draw(t, "n")
			d.At, d.Size, d.Next, d.Tags = &at, &n, &disk{Secret: "x"}, nil
		}
		return d
	})
	m := machine{
		base:  base{ID: str.Draw(t, "id"), Since: tm.Draw(t, "since"), Until: tm.Draw(t, "until"), Token: "t", note: "n"},
		Name:  str.Draw(t, "name"),
		Disks: rapid.SliceOfN(dsk, 0, 2).Draw(t, "disks"),
		Ports: rapid.MapOfN(rapid.Uint16(), dsk, 0, 2).Draw(t, "ports"),
		Pair:  [2]time.Time{tm.Draw(t, "a"), tm.Draw(t, "b")},
		Load:  rapid.Float64Range(-1e300, 1e300).Draw(t, "load"),
		Bytes: rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "bytes"), Local: "l",
		History: rapid.SampledFrom([][]time.Time{nil, {}, {time.Now()}}).Draw(t, "history"),
		Extra:   rapid.SampledFrom([]json.RawMessage{nil, {}, json.RawMessage(` { "a" : "<" } `)}).Draw(t, "extra"),
		Nested:  rapid.SampledFrom([]map[string][]string{nil, {}, {"a": nil, "b": {}, "\xff": {"c"}}}).Draw(t, "nested"),
	}
	if rapid.Bool().Draw(t, "more") {
		d := dsk.Draw(t, "by name")
		m.ByName, m.Serial, m.Operation = map[string]*disk{"d": &d, "nil": nil}, big.NewInt(-42), bus.NewID(time.Now())
	}
	return m
}

type (
	badChan    struct{ C chan int }
	badFunc    struct{ F func() }
	badAny     struct{ A map[string]any }
	badComplex struct{ C []complex128 }
	badPrivate struct{ n int }
	badTwice   struct {
		base
		ID2 string `json:"id"`
	}
	badEmbed struct {
		time.Time
		N int
	}
	badPointer struct{ *base }
	badOneWay  struct{ O oneWay }
	badNil     struct{ P *[]int }
	badKey     struct{ M map[float64]int }
	oneWay     struct{ N int }
)

func (oneWay) MarshalJSON() ([]byte, error) { return []byte(`1`), nil }

func (badChan) EventType() string    { return "bad.x" }
func (badFunc) EventType() string    { return "bad.x" }
func (badAny) EventType() string     { return "bad.x" }
func (badComplex) EventType() string { return "bad.x" }
func (b badPrivate) EventType() string {
	_ = b.n
	return "bad.x"
}
func (badTwice) EventType() string   { return "bad.x" }
func (badEmbed) EventType() string   { return "bad.x" }
func (badPointer) EventType() string { return "bad.x" }
func (badOneWay) EventType() string  { return "bad.x" }
func (badNil) EventType() string     { return "bad.x" }
func (badKey) EventType() string     { return "bad.x" }

func TestRegisterRefusesWhatJSONCantCarry(t *testing.T) {
	b := newBus(t, nil)
	tests := []struct {
		name string
		err  error
		says string
	}{
		{"channel", bus.Register[badChan](b, "bad.>", 1), "field C: chan int"},
		{"function", bus.Register[badFunc](b, "bad.>", 1), "field F: func()"},
		{"interface", bus.Register[badAny](b, "bad.>", 1), "field A[]: interface {}"},
		{"complex", bus.Register[badComplex](b, "bad.>", 1), "field C[]: complex128"},
		{"unexported only", bus.Register[badPrivate](b, "bad.>", 1), "no field that JSON carries"},
		{"two fields of a name", bus.Register[badTwice](b, "bad.>", 1), `base.ID and ID2 are both called "id"`},
		{"embedded encoding", bus.Register[badEmbed](b, "bad.>", 1), "from the embedded Time"},
		{"embedded pointer", bus.Register[badPointer](b, "bad.>", 1), "by pointer"},
		{"one direction", bus.Register[badOneWay](b, "bad.>", 1), "field O: "},
		{"pointer to slice", bus.Register[badNil](b, "bad.>", 1), "field P: "},
		{"map keys", bus.Register[badKey](b, "bad.>", 1), "field M: "},
		{"schema", bus.Register[machine](b, "machine.>", 0), "schema 0"},
		{"pointer", bus.Register[*machine](b, "machine.>", 1), "concrete type"},
		{"interface type", bus.Register[bus.Payload](b, "machine.>", 1), "concrete type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := (*bus.PayloadError)(nil)
			if !errors.As(tt.err, &e) || !strings.Contains(tt.err.Error(), tt.says) {
				t.Errorf("Register: %v\nwant a *PayloadError that says %q", tt.err, tt.says)
			}
		})
	}
}

func TestRegisterPatternsAndSchemas(t *testing.T) {
	b := newBus(t, nil)
	if err := bus.Register[machine](b, "machine.>", 1); err != nil {
		t.Fatal(err)
	}
	if err := bus.Register[machine](b, "machine.>", 1); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := bus.Register[noted](b, "machine.>", 1); err == nil || !strings.Contains(err.Error(), "bus_test.machine") {
		t.Errorf("another type for the same pattern and schema: %v", err)
	}
	if err := bus.Register[noted](b, "machine.>", 2); err != nil {
		t.Errorf("another schema: %v", err)
	}
	if err := bus.Register[noted](b, "machine..x", 1); !errors.As(err, new(*bus.PatternError)) {
		t.Errorf("wrong pattern: %v", err)
	}
	_, err := b.Prepare(t.Context(), noted{Type: "other.thing"})
	if e := (*bus.UnregisteredError)(nil); !errors.As(err, &e) || e.EventType != "other.thing" || !strings.Contains(err.Error(), "bus_test.noted") {
		t.Errorf("Prepare outside of the pattern: %v", err)
	}
	r, err := b.Prepare(t.Context(), noted{Type: "machine.x"})
	if err != nil || r.Schema != 2 {
		t.Errorf("Prepare: schema %d, %v; want 2", r.Schema, err)
	}
}
