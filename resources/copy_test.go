package resources_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/resources"
)

type inner struct {
	When time.Time
	Keys []string
}

type embedded struct{ Hosts []string }

type tree struct {
	Name     string
	Children []*tree
}

type deep struct {
	resources.Object
	embedded
	Bytes    []byte            `json:"bytes"`
	Labels   map[string]string `json:"labels"`
	Nested   map[string]*inner `json:"nested"`
	Pair     [2]inner          `json:"pair"`
	Any      any               `json:"any"`
	Nothing  *inner            `json:"nothing"`
	Tree     *tree             `json:"tree"`
	hidden   int
	Deadline *time.Time `json:"deadline"`
}

func newDeep() *deep {
	local := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("x", 3600))
	return &deep{
		embedded: embedded{Hosts: []string{"h"}},
		Bytes:    []byte{1}, Labels: map[string]string{"a": "b"},
		Nested: map[string]*inner{"n": {When: local, Keys: []string{"k"}}},
		Pair:   [2]inner{{Keys: []string{"p"}}, {}},
		Any:    map[string]any{"list": []any{"x"}},
		Tree:   &tree{Name: "root", Children: []*tree{{Name: "leaf"}}}, hidden: 7, Deadline: &local,
	}
}

func TestCloneSharesNothing(t *testing.T) {
	info := &resources.Info{Type: reflect.TypeFor[deep]()}
	from := newDeep()
	to := info.Clone(from).(*deep)
	if !to.Deadline.Equal(*from.Deadline) || to.Deadline.Location() != time.UTC || to.Nested["n"].When.Location() != time.UTC {
		t.Errorf("times are not in UTC: %v, %v", to.Deadline, to.Nested["n"].When)
	}
	want := info.Clone(from).(*deep)
	if !reflect.DeepEqual(to, want) {
		t.Fatalf("two clones differ:\n%+v\n%+v", to, want)
	}
	for name, alter := range map[string]func(){
		"embedded":  func() { from.Hosts[0] = "!" },
		"bytes":     func() { from.Bytes[0] = 9 },
		"map":       func() { from.Labels["a"] = "!" },
		"nested":    func() { from.Nested["n"].Keys[0] = "!" },
		"array":     func() { from.Pair[0].Keys[0] = "!" },
		"interface": func() { from.Any.(map[string]any)["list"].([]any)[0] = "!" },
		"tree":      func() { from.Tree.Children[0].Name = "!" },
		"pointer":   func() { *from.Deadline = time.Time{} },
	} {
		alter()
		if !reflect.DeepEqual(to, want) {
			t.Errorf("altering %s of the original altered the clone", name)
		}
	}
}

func TestCloneKeepsNil(t *testing.T) {
	info := &resources.Info{Type: reflect.TypeFor[deep]()}
	if got := info.Clone(&deep{}); !reflect.DeepEqual(got, &deep{}) {
		t.Errorf("the clone of a zero value is %+v", got)
	}
}

type vault struct {
	Combination string `json:"combination" cloudbus:"secret"`
	Room        string `json:"room"`
}

type bank struct {
	resources.Object
	Pin    string           `json:"pin" cloudbus:"secret"`
	Main   vault            `json:"main"`
	Others []vault          `json:"others"`
	ByName map[string]vault `json:"by_name"`
	Spare  *vault           `json:"spare"`
	Keys   []string         `json:"keys" cloudbus:"secret"`
}

func TestSnapshotsHaveNoSecrets(t *testing.T) {
	r := newRig(t, resources.Options{})
	banks, err := resources.Register[bank](r.engine, door("bank"))
	if err != nil {
		t.Fatal(err)
	}
	v := vault{"42", "cellar"}
	b, err := banks.Create(ctx, bank{Pin: "1", Main: v, Others: []vault{v}, ByName: map[string]vault{"x": v}, Spare: &v, Keys: []string{"k"}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := banks.Fire(ctx, b.ID, "push")
	if err != nil {
		t.Fatal(err)
	}
	bare := vault{Room: "cellar"}
	want := bank{Object: c.Resource.Object, Main: bare, Others: []vault{bare}, ByName: map[string]vault{"x": bare}, Spare: &bare}
	if !reflect.DeepEqual(c.Resource, want) {
		t.Errorf("the snapshot is %+v, want %+v", c.Resource, want)
	}
	row, err := banks.Get(ctx, b.ID)
	if err != nil || row.Pin != "1" || row.Spare.Combination != "42" || row.Keys[0] != "k" {
		t.Errorf("the row is %+v, %v", row, err)
	}
}
