package schema_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/schema"
	"github.com/cloudbus-go/cloudbus/bridge/sinktest"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/all"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Vault is a kind with all that a schema must get right.
type Vault struct {
	resources.Object
	Password string            `json:"password" cloudbus:"secret"`
	Labels   map[string]string `json:"labels"`
	Parts    []*part           `json:"parts"`
	Spare    *part             `json:"spare"`
	Hint     string            `json:"hint,omitempty"`
	Size     int64             `json:"size"`
}

type part struct {
	Name string  `json:"name"`
	Key  string  `json:"key,omitempty" cloudbus:"secret"`
	Sub  []*part `json:"sub,omitempty"`
}

var machine = fsm.MustNew(fsm.Spec{
	Kind: "vault", Initial: fsm.States("open"), Endless: true,
	Edges: []fsm.Edge{{From: fsm.States("open"), On: "shut_requested", To: "shut"}, {From: fsm.States("shut"), On: "open_requested", To: "open"}},
})

// house is a server with every kind, the schemas, and a bridge to a broker.
type house struct {
	store  *memstore.Store
	bus    *bus.Bus
	engine *resources.Engine
	vaults *resources.Kind[Vault]
	mux    *http.ServeMux
	memory sinktest.Memory
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T) *house {
	log := slog.New(slog.DiscardHandler)
	h := &house{store: memstore.New(memstore.Options{}), mux: http.NewServeMux()}
	h.bus = bus.New(bus.Options{Logger: log, Source: "cloudbus/test", Journal: h.store.Journal()})
	var err error
	h.engine, err = resources.New(resources.Options{Store: h.store, Bus: h.bus, Logger: log, Listeners: []resources.Listener{listeners.Post()}})
	must(t, err)
	must(t, all.Register(h.engine))
	h.vaults, err = resources.Register[Vault](h.engine, machine)
	must(t, err)
	relay, err := bridge.New(h.memory.Sink(), bridge.Options{Schemas: "https://cloud.example.com/v1/schemas/"})
	must(t, err)
	m, err := plugins.NewManager(plugins.Options{Bus: h.bus, Logger: log, Mux: h.mux})
	must(t, err)
	must(t, errors.Join(m.Add(relay, plugins.Required()), m.Add(schema.New(h.engine, schema.Options{}), plugins.Required())))
	must(t, m.Start(t.Context()))
	t.Cleanup(func() { must(t, errors.Join(m.Close(context.Background()), h.bus.Close(context.Background()))) })
	return h
}

func (h *house) get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

// walk creates a resource in each initial state and fires what is allowed, at random.
func (h *house) walk(t *testing.T, kind string) {
	t.Helper()
	k, err := h.engine.Kind(kind)
	must(t, err)
	chance := rand.New(rand.NewPCG(1, 2))
	for _, in := range k.Machine().Initial() {
		obj := k.New()
		o := resources.ObjectOf(obj)
		o.State, o.Tenant, o.Name = in, "acme", "x"
		made, err := k.Create(t.Context(), obj)
		must(t, err)
		id := resources.ObjectOf(made).ID
		for range 25 {
			allowed, err := k.Allowed(t.Context(), id)
			must(t, err)
			if len(allowed) == 0 {
				break
			}
			_, err = k.Fire(t.Context(), id, allowed[chance.IntN(len(allowed))], resources.Reason("a walk"))
			must(t, err)
		}
		_, err = k.Update(t.Context(), id, func(obj any) error { resources.ObjectOf(obj).Name = "y"; return nil })
		if err != nil {
			t.Logf("%s isn't updated: %v", kind, err)
		}
	}
}

// validator compiles what the server serves.
func (h *house) validator(t *testing.T, path string) *jsonschema.Schema {
	t.Helper()
	w := h.get(t, path)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	doc, err := jsonschema.UnmarshalJSON(w.Body)
	must(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	must(t, c.AddResource("https://cloud.example.com"+path, doc))
	compiled, err := c.Compile("https://cloud.example.com" + path)
	must(t, err)
	return compiled
}

func TestEachEventOfAWalkIsValidByTheSchemaThatItNames(t *testing.T) {
	h := open(t)
	for _, kind := range h.engine.Kinds() {
		h.walk(t, kind)
	}
	_, err := h.vaults.Create(t.Context(), Vault{Password: "s3cret", Labels: map[string]string{"a": "b"}, Spare: &part{Name: "lid", Key: "s3cret"}, Parts: []*part{nil, {Name: "door", Sub: []*part{{Name: "hinge"}}}}})
	must(t, err)
	must(t, h.bus.Flush(t.Context()))
	compiled := map[string]*jsonschema.Schema{}
	messages := h.memory.Received()
	for _, m := range messages {
		var e struct {
			Type       string          `json:"type"`
			DataSchema string          `json:"dataschema"`
			Data       json.RawMessage `json:"data"`
		}
		must(t, json.Unmarshal(m.Data, &e))
		path := strings.TrimPrefix(e.DataSchema, "https://cloud.example.com")
		if compiled[path] == nil {
			compiled[path] = h.validator(t, path)
		}
		data, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.Data))
		must(t, err)
		if err := compiled[path].Validate(data); err != nil {
			t.Errorf("%s: %v\n%s", e.Type, err, e.Data)
		}
		for name, spoil := range map[string]func(map[string]any){
			"no version":     func(d map[string]any) { delete(d, "version") },
			"a text version": func(d map[string]any) { d["version"] = "1" },
			"unknown state":  func(d map[string]any) { d["to"] = "flying" },
			"another kind":   func(d map[string]any) { d["kind"] = "cow" },
			"another action": func(d map[string]any) { d["action"] = "deleted" },
			"no resource":    func(d map[string]any) { delete(d, "resource") },
		} {
			wrong, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.Data))
			must(t, err)
			spoil(wrong.(map[string]any))
			if compiled[path].Validate(wrong) == nil {
				t.Fatalf("%s: valid with %s", e.Type, name)
			}
		}
	}
	if len(compiled) < 50 {
		t.Errorf("only %d types were seen in %d events", len(compiled), len(messages))
	}
}

// Secrets are taken out before an event lies in the journal, so no sink gets one, in neither mode.
func TestNoSecretLeavesTheBuilding(t *testing.T) {
	h := open(t)
	v, err := h.vaults.Create(t.Context(), Vault{Password: "s3cret", Parts: []*part{{Name: "door", Key: "s3cret"}}})
	must(t, err)
	_, err = h.vaults.Update(t.Context(), v.ID, func(v *Vault) error { v.Password = "s3cret2"; v.Size = 3; return nil })
	must(t, err)
	must(t, h.bus.Flush(t.Context()))
	kept, err := h.vaults.Get(t.Context(), v.ID)
	must(t, err)
	if kept.Password != "s3cret2" {
		t.Fatalf("the vault's own password is %q", kept.Password)
	}
	messages := h.memory.Received()
	if len(messages) != 2 {
		t.Fatalf("%d messages", len(messages))
	}
	for _, m := range messages {
		if bytes.Contains(m.Data, []byte("s3cret")) || !bytes.Contains(m.Data, []byte(`"size"`)) {
			t.Errorf("sent %s", m.Data)
		}
	}
	if text := h.get(t, "/v1/schemas/vault.created").Body.String(); strings.Contains(text, "password") || !strings.Contains(text, `"size"`) {
		t.Errorf("the schema mentions the secret, or lacks the rest: %s", text)
	}
}

func TestListNamesEachTypeWithASchemaThatIsServed(t *testing.T) {
	h := open(t)
	var body struct{ Schemas []schema.Entry }
	must(t, json.Unmarshal(h.get(t, "/v1/schemas").Body.Bytes(), &body))
	types := map[string]schema.Entry{}
	for _, e := range body.Schemas {
		types[e.Type] = e
		if e.Pattern != (e.URL == "") {
			t.Errorf("%+v", e)
		}
		if strings.HasPrefix(e.Type, "vm.") || strings.HasPrefix(e.Type, "vault.") {
			h.validator(t, e.URL)
		}
	}
	if e := types["vm.state.running"]; e.Subject != "cloudbus.*.vm.state.running" || e.URL != "/v1/schemas/vm.state.running?schema=1" {
		t.Errorf("%+v", e)
	}
	for _, want := range []string{"vm.created", "vm.removed", "vm.snapshot", "vm.stuck", "status.vm.refused", "action.>"} {
		if _, ok := types[want]; !ok {
			t.Errorf("the list lacks %s", want)
		}
	}
	h.validator(t, "/v1/schemas/action.vm.backup.started") // one of a pattern's
}

func TestRequestsThatAreWrong(t *testing.T) {
	h := open(t)
	for path, want := range map[string]int{
		"/v1/schemas/cow.created": 404, "/v1/schemas/vm.created?schema=2": 404, "/v1/schemas/vm.*": 404, "/v1/schemas/vm.created?schema=x": 400,
		"/v1/schemas/vm.created?schema=0": 400, "/v1/schemas/vm.created?version=1": 400, "/v1/schemas?x=1": 400,
	} {
		if w := h.get(t, path); w.Code != want || !strings.Contains(w.Body.String(), "error") {
			t.Errorf("GET %s: %d %s, want %d", path, w.Code, w.Body, want)
		}
	}
}

func TestConsumingPageSaysHowToTellRepeatsAndKeepOrder(t *testing.T) {
	w := open(t).get(t, "/v1/events/consuming")
	for _, want := range []string{"`id`", "`resourceversion`", "`sequence`", "cloudbus-state", "/v1/schemas"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page doesn't speak of %s", want)
		}
	}
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/markdown") {
		t.Errorf("content type %s", w.Header().Get("Content-Type"))
	}
}

// The structure that AsyncAPI 3.0 asks for, as far as the document has it; and all references lead somewhere.
func TestAsyncAPIDocument(t *testing.T) {
	h := open(t)
	var doc map[string]any
	must(t, json.Unmarshal(h.get(t, "/v1/asyncapi.json").Body.Bytes(), &doc))
	part := func(of any, key string) map[string]any {
		t.Helper()
		found, ok := of.(map[string]any)[key].(map[string]any)
		if !ok {
			t.Fatalf("%s is missing, or no object", key)
		}
		return found
	}
	if doc["asyncapi"] != "3.0.0" || part(doc, "info")["title"] == "" || part(doc, "info")["version"] == nil {
		t.Errorf("head %v %v", doc["asyncapi"], doc["info"])
	}
	for key := range doc {
		if !slices.Contains([]string{"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}, key) {
			t.Errorf("%s has no place in a document", key)
		}
	}
	id := regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)
	parameter := regexp.MustCompile(`\{(\w+)\}`)
	for name, c := range part(doc, "channels") {
		address := c.(map[string]any)["address"].(string)
		if !id.MatchString(name) || !strings.HasPrefix(address, "cloudbus") || strings.ContainsAny(address, "*>") {
			t.Errorf("channel %s has the address %s", name, address)
		}
		used := parameter.FindAllStringSubmatch(address, -1)
		if declared := part(c, "parameters"); len(declared) != len(used) {
			t.Errorf("channel %s: %s with parameters %v", name, address, declared)
		}
		if len(part(c, "messages")) == 0 {
			t.Errorf("channel %s has no messages", name)
		}
	}
	for name, o := range part(doc, "operations") {
		operation := o.(map[string]any)
		if !id.MatchString(name) || operation["action"] != "send" || part(operation, "channel")["$ref"] == "" {
			t.Errorf("operation %s: %v", name, operation)
		}
	}
	for name, m := range part(part(doc, "components"), "messages") {
		if !id.MatchString(name) || part(m, "payload") == nil || m.(map[string]any)["contentType"] != bridge.ContentType {
			t.Errorf("message %s: %v", name, m)
		}
	}
	h.follow(t, doc, doc)
}

// follow looks where references lead: within the document, or to what the server serves.
func (h *house) follow(t *testing.T, doc map[string]any, value any) {
	t.Helper()
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			h.follow(t, doc, one)
		}
	case map[string]any:
		if to, ok := v["$ref"].(string); ok {
			h.reach(t, doc, to)
		}
		for _, one := range v {
			h.follow(t, doc, one)
		}
	}
}

func (h *house) reach(t *testing.T, doc map[string]any, to string) {
	t.Helper()
	within, ok := strings.CutPrefix(to, "#/")
	if !ok {
		if strings.HasPrefix(to, "schemas/vault.") && h.get(t, "/v1/"+to).Code != http.StatusOK {
			t.Errorf("%s isn't served", to)
		}
		return
	}
	var at any = doc
	for key := range strings.SplitSeq(within, "/") {
		at = at.(map[string]any)[key]
		if at == nil {
			t.Fatalf("%s leads nowhere", to)
		}
	}
}

// The states that are sent for what was there before the bridge don't come from the journal.
func TestNoSecretLeavesTheBuildingAsAState(t *testing.T) {
	h := open(t)
	must(t, h.bus.Flush(t.Context()))
	_, err := h.vaults.Create(t.Context(), Vault{Password: "s3cret", Size: 3, Spare: &part{Key: "s3cret"}, Parts: []*part{{Name: "door", Key: "s3cret", Sub: []*part{{Key: "s3cret"}}}}})
	must(t, err)
	for _, mode := range []bridge.Mode{bridge.Structured, bridge.Binary} {
		memory := sinktest.Memory{State: true}
		states, err := bridge.New(memory.Sink(), bridge.Options{Name: "state_" + mode.String(), State: true, Engine: h.engine, Mode: mode, Types: []string{"vault.>"}})
		must(t, err)
		m, err := plugins.NewManager(plugins.Options{Bus: h.bus, Logger: slog.New(slog.DiscardHandler)})
		must(t, err)
		must(t, m.Add(states, plugins.Required()))
		must(t, m.Start(t.Context()))
		for states.Stats().Seeded == 0 && t.Context().Err() == nil {
			runtime.Gosched()
		}
		must(t, m.Close(t.Context()))
		for _, message := range memory.Received() {
			if bytes.Contains(message.Data, []byte("s3cret")) || !bytes.Contains(message.Data, []byte(`"size":3`)) {
				t.Errorf("%s: sent %s", mode, message.Data)
			}
		}
		if n := len(memory.Received()); n != 1 {
			t.Errorf("%s: %d messages", mode, n)
		}
	}
}
