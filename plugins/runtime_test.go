package plugins_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"gorm.io/gorm"
)

// started returns the runtime of a plugin that runs.
func started(t *testing.T, o plugins.Options) (*plugins.Runtime, *plugins.Manager) {
	t.Helper()
	var rt *plugins.Runtime
	m := manager(t, o, &guest{name: "a", init: func(_ context.Context, r *plugins.Runtime) error { rt = r; return nil }})
	start(t, m)
	return rt, m
}

type config struct {
	Window plugins.Duration          `json:"window"`
	Limits map[string]map[string]int `json:"limits"`
	Rules  []rule                    `json:"rules"`
	Inner  *rule                     `json:"inner"`
	Hidden string                    `json:"-"`
}

type rule struct {
	Name string `json:"name"`
	N    int
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name, json string
		want       config
		wrong      []string // what the error says
		allowed    []string
	}{
		{name: "none", want: config{Window: 7}},
		{name: "null", json: `null`, want: config{Window: 7}},
		{name: "empty", json: ` {} `, want: config{Window: 7}},
		{name: "all", json: `{"window":"1m30s","limits":{"vm":{"x":1}},"rules":[{"name":"r","N":2}],"inner":{"N":3}}`,
			want: config{Window: plugins.Duration(90 * time.Second), Limits: map[string]map[string]int{"vm": {"x": 1}}, Rules: []rule{{"r", 2}}, Inner: &rule{N: 3}}},
		{name: "unknown key", json: `{"windw":"1m"}`, wrong: []string{`key "windw"`, "unknown"}, allowed: []string{"inner", "limits", "rules", "window"}},
		{name: "unknown key inside", json: `{"rules":[{"name":"r"},{"nam":"s"}]}`, wrong: []string{`key "rules[1].nam"`}, allowed: []string{"N", "name"}},
		{name: "unknown key behind a pointer", json: `{"inner":{"m":3}}`, wrong: []string{`key "inner.m"`}, allowed: []string{"N", "name"}},
		{name: "other case", json: `{"Window":"1m"}`, wrong: []string{`key "Window"`}, allowed: []string{"inner", "limits", "rules", "window"}},
		{name: "hidden key", json: `{"Hidden":"x"}`, wrong: []string{`key "Hidden"`}, allowed: []string{"inner", "limits", "rules", "window"}},
		{name: "wrong type", json: `{"inner":{"N":"three"}}`, wrong: []string{`key "inner.N"`, "string", "int"}},
		{name: "wrong duration", json: `{"window":"soon"}`, wrong: []string{`"soon"`, `"5m"`}},
		{name: "no object", json: `[1]`, wrong: []string{"array"}},
		{name: "no JSON", json: `{"window":`, wrong: []string{"not JSON"}},
		{name: "two values", json: `{} {}`, wrong: []string{"not JSON"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := config{Window: 7}
			var err error
			m := manager(t, plugins.Options{Config: map[string]json.RawMessage{"a": json.RawMessage(c.json)}},
				&guest{name: "a", init: func(_ context.Context, rt *plugins.Runtime) error { err = rt.Config(&got); return err }})
			start(t, m)
			if c.wrong == nil {
				if err != nil || !reflect.DeepEqual(got, c.want) {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			e, ok := errors.AsType[*plugins.ConfigError](err)
			if !ok || e.Plugin != "a" {
				t.Fatalf("error %v", err)
			}
			for _, want := range c.wrong {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q doesn't say %s", err, want)
				}
			}
			if !slices.Equal(e.Allowed, c.allowed) {
				t.Errorf("allowed %v, want %v", e.Allowed, c.allowed)
			}
		})
	}
}

func TestConfigurationThatNobodyReads(t *testing.T) {
	m := manager(t, plugins.Options{Config: map[string]json.RawMessage{"a": json.RawMessage(`{"x":1}`), "b": json.RawMessage(`{}`)}}, &guest{name: "a"}, &guest{name: "b"})
	start(t, m)
	if _, ok := errors.AsType[*plugins.ConfigError](statusOf(t, m, "a").Err); !ok {
		t.Errorf("a: %v", statusOf(t, m, "a").Err)
	}
	if s := statusOf(t, m, "b"); !s.Running {
		t.Errorf("b, whose section says nothing: %v", s.Err)
	}
}

func TestConfigIntoNoPointer(t *testing.T) {
	rt, _ := started(t, plugins.Options{})
	if _, ok := errors.AsType[*plugins.ConfigError](rt.Config(config{})); !ok {
		t.Error("a struct was decoded into")
	}
}

// other has no table.
type other struct{ ID int64 }

type thing struct {
	ID   int64 `gorm:"primaryKey"`
	Name string
}

func TestReadRefusesToWrite(t *testing.T) {
	rt, _ := started(t, plugins.Options{Bus: durableBus(t)})
	err := rt.Write(t.Context(), func(tx *journal.Tx) error {
		if err := tx.DB().Exec("CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT)").Error; err != nil {
			return err
		}
		return tx.DB().Create(&thing{1, "one"}).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(*gorm.DB) error{
		"create": func(db *gorm.DB) error { return db.Create(&thing{2, "two"}).Error },
		"save":   func(db *gorm.DB) error { return db.Save(&thing{1, "uno"}).Error },
		"delete": func(db *gorm.DB) error { return db.Delete(&thing{ID: 1}).Error },
		"exec":   func(db *gorm.DB) error { return db.Exec("DELETE FROM things").Error },
		"raw":    func(db *gorm.DB) error { var x []thing; return db.Raw("DELETE FROM things RETURNING *").Scan(&x).Error },
		"row":    func(db *gorm.DB) error { var x int; return db.Raw("DELETE FROM things RETURNING id").Row().Scan(&x) },
		"with": func(db *gorm.DB) error {
			var x []thing
			return db.Raw("WITH x AS (SELECT 1) DELETE FROM things RETURNING *").Scan(&x).Error
		},
		"pragma":  func(db *gorm.DB) error { var x []int; return db.Raw("PRAGMA query_only = 0").Scan(&x).Error },
		"migrate": func(db *gorm.DB) error { return db.AutoMigrate(&other{}) },
		"transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Create(&thing{3, "three"}).Error })
		},
		"session": func(db *gorm.DB) error { return db.Session(&gorm.Session{NewDB: true}).Create(&thing{4, "four"}).Error },
	} {
		t.Run(name, func(t *testing.T) {
			if err := write(rt.Read()); err == nil {
				t.Error("it wrote")
			} else if !errors.Is(err, plugins.ErrReadOnly) && name != "with" {
				t.Errorf("error %v", err)
			}
		})
	}
	err = rt.Read().Transaction(func(tx *gorm.DB) error {
		return tx.Transaction(func(tx *gorm.DB) error {
			var all []thing
			if err := tx.Find(&all).Error; err != nil {
				return err
			}
			if !slices.Equal(all, []thing{{1, "one"}}) {
				t.Errorf("things %v", all)
			}
			return nil
		})
	})
	if err != nil {
		t.Errorf("reading in a transaction: %v", err)
	}
}

func TestWithoutADatabase(t *testing.T) {
	rt, _ := started(t, plugins.Options{})
	if rt.Journal() != nil {
		t.Error("there is a journal")
	}
	var n int64
	for name, err := range map[string]error{
		"write":       rt.Write(t.Context(), func(*journal.Tx) error { return nil }),
		"find":        rt.Read().Find(&[]thing{}).Error,
		"first":       rt.Read().First(&thing{}).Error,
		"where":       rt.Read().Where("id = ?", 1).Find(&[]thing{}).Error,
		"count":       rt.Read().Model(&thing{}).Count(&n).Error,
		"raw":         rt.Read().Raw("SELECT 1").Scan(&n).Error,
		"row":         rt.Read().Raw("SELECT 1").Row().Scan(&n),
		"create":      rt.Read().Create(&thing{}).Error,
		"transaction": rt.Read().Transaction(func(tx *gorm.DB) error { return tx.Find(&[]thing{}).Error }),
	} {
		if !errors.Is(err, plugins.ErrNoDatabase) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := manager(t, plugins.Options{}, &migrating{guest: guest{name: "tables"}, files: oneTable})
	start(t, m)
	if err := statusOf(t, m, "tables").Err; !errors.Is(err, plugins.ErrNoDatabase) {
		t.Errorf("migrations: %v", err)
	}
}

func TestAClosedPluginDoesNothing(t *testing.T) {
	rt, m := started(t, plugins.Options{Bus: durableBus(t)})
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := rt.Write(t.Context(), func(*journal.Tx) error { return nil }); !errors.Is(err, plugins.ErrClosed) {
		t.Errorf("write: %v", err)
	}
	rt.Go("late", func(context.Context) error { t.Error("a goroutine was started"); return nil })
}

func get(t *testing.T, h http.Handler, path string) (status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestHandle(t *testing.T) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	mux := http.NewServeMux()
	mux.Handle("GET /taken", hello)
	var errs []error
	a := &guest{name: "a", init: func(_ context.Context, rt *plugins.Runtime) error {
		for pattern, h := range map[string]http.Handler{"GET /taken": hello, "GET /{": hello, "": hello, "GET /nil": nil} {
			errs = append(errs, rt.Handle(pattern, h))
		}
		return errors.Join(rt.Handle("GET /hello", hello), rt.Handle("GET /panic", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })))
	}}
	m := manager(t, plugins.Options{Mux: mux}, a, &guest{name: "b", init: func(context.Context, *plugins.Runtime) error {
		if status, body := get(t, mux, "/hello"); status != 503 || body != `{"error":"plugin a isn't running"}` {
			t.Errorf("before all have started: %d %s", status, body)
		}
		return nil
	}})
	start(t, m)
	for _, err := range errs {
		if e, ok := errors.AsType[*plugins.PatternError](err); !ok || e.Plugin != "a" || e.Reason == "" {
			t.Errorf("pattern: %v", err)
		}
	}
	for _, c := range []struct {
		path   string
		status int
		body   string
	}{
		{"/hello", 200, "hello"},
		{"/taken", 200, "hello"},
		{"/panic", 500, `{"error":"plugin a failed to answer"}`},
		{"/hello", 200, "hello"}, // a panic disables nothing
	} {
		if status, body := get(t, m.Handler(), c.path); status != c.status || body != c.body {
			t.Errorf("%s: %d %s", c.path, status, body)
		}
	}
	if got := m.Metrics().String(); !strings.Contains(got, `"panics": 1`) {
		t.Errorf("metrics %s", got)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, mux, "/hello"); status != 503 {
		t.Errorf("after Close: %d", status)
	}
}

func TestPanicAfterTheAnswerHasBegunBreaksItOff(t *testing.T) {
	m := manager(t, plugins.Options{}, &guest{name: "a", init: func(_ context.Context, rt *plugins.Runtime) error {
		return rt.Handle("GET /half", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic("boom")
		}))
	}})
	start(t, m)
	srv := httptest.NewServer(m.Handler())
	defer srv.Close()
	answer, err := srv.Client().Get(srv.URL + "/half")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("the answer %q looks complete", body)
	}
	srv.CloseClientConnections()
}

func TestRequestsEndWithThePlugin(t *testing.T) {
	begun := make(chan struct{})
	ended := make(chan error, 1)
	m := manager(t, plugins.Options{}, &guest{name: "a", init: func(_ context.Context, rt *plugins.Runtime) error {
		return rt.Handle("GET /stream", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
			ended <- r.Context().Err()
		}))
	}})
	start(t, m)
	answered := make(chan struct{})
	go func() { defer close(answered); get(t, m.Handler(), "/stream") }()
	<-begun
	if err := m.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the request ended with %v", err)
	}
	<-answered
}

func TestParams(t *testing.T) {
	for _, c := range []struct{ query, wrong string }{
		{"a=1&b=2", ""},
		{"", ""},
		{"c=1", `unknown parameter "c" (allowed: a, b)`},
		{"a=1&a=2", `parameter "a" is given 2 times`},
		{"a=%zz", "malformed query"},
	} {
		_, err := plugins.Params(httptest.NewRequest("GET", "/?"+c.query, nil), "a", "b")
		if err == nil && c.wrong != "" || err != nil && (c.wrong == "" || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s: %v", c.query, err)
		}
	}
}
