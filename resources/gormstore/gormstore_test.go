package gormstore_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB) *gormstore.Store {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "cloud.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) resources.Store { return open(t) })
}

const lampTable = "-- +goose Up\nCREATE TABLE lamps (id TEXT PRIMARY KEY, tenant TEXT, name TEXT, state TEXT, origin TEXT, operation TEXT, version INTEGER," +
	" state_since INTEGER, created_at INTEGER, updated_at INTEGER, removed_at INTEGER, watts INTEGER);\n"

type (
	lamp struct {
		resources.Object
		Watts int `json:"watts"`
	}
	tintLamp struct {
		resources.Object
		Watts int    `json:"watts"`
		Tint  string `json:"tint"`
	}
	twoKeys struct {
		resources.Object
		Serial string `gorm:"primaryKey"`
	}
)

func (*lamp) Migrations() fs.FS     { return fstest.MapFS{"00001_lamps.sql": {Data: []byte(lampTable)}} }
func (*tintLamp) Migrations() fs.FS { return (*lamp)(nil).Migrations() }
func (tintLamp) TableName() string  { return "lamps" }

type bare struct{ resources.Object }

func info[T any](name string) *resources.Info {
	return &resources.Info{Name: name, Type: reflect.TypeFor[T](), Fields: []resources.Field{
		{Name: "watts", Index: []int{1}, Type: reflect.TypeFor[int]()},
	}}
}

func TestBindRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		kind *resources.Info
		want string
	}{
		"no table":         {info[bare]("bare"), "Migrations"},
		"a missing column": {info[tintLamp]("tint"), "no column tint"},
		"two keys":         {info[twoKeys]("keys"), "primary key"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := open(t).Bind(t.Context(), c.kind); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want it to speak of %q", err, c.want)
			}
		})
	}
}

func TestUnboundKind(t *testing.T) {
	if _, err := open(t).Load(t.Context(), info[lamp]("lamp"), "1"); err == nil {
		t.Error("a kind that isn't bound was loaded")
	}
}

func TestDBIsOnTheTransaction(t *testing.T) {
	s, k := open(t), info[lamp]("lamp")
	if err := s.Bind(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	undo := errors.New("undo")
	err := s.Do(t.Context(), func(tx resources.StoreTx) error {
		if err := tx.Insert(k, &lamp{Object: resources.Object{ID: "l1", Version: 1}, Watts: 60}); err != nil {
			return err
		}
		var read lamp
		if err := gormstore.DB(tx).Take(&read, "id = ?", "l1").Error; err != nil {
			return err
		}
		if read.Watts != 60 || read.Version != 1 {
			t.Errorf("gorm reads %+v", read)
		}
		read.StateSince = time.Unix(7, 9)
		if err := gormstore.DB(tx).Save(&read).Error; err != nil {
			return err
		}
		again, err := tx.Load(k, "l1")
		if err != nil {
			return err
		}
		if !again.(*lamp).StateSince.Equal(time.Unix(7, 9)) {
			t.Errorf("what gorm wrote reads %+v", again)
		}
		return undo
	})
	if !errors.Is(err, undo) {
		t.Error(err)
	}
	if _, err := s.Load(t.Context(), k, "l1"); !errors.Is(err, resources.ErrNotFound) {
		t.Errorf("after the rollback: %v, want ErrNotFound", err)
	}
}

func TestTimesThatCantBeStored(t *testing.T) {
	s, k := open(t), info[lamp]("lamp")
	if err := s.Bind(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	far := lamp{Object: resources.Object{ID: "l1", StateSince: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}}
	if err := s.Do(t.Context(), func(tx resources.StoreTx) error { return tx.Insert(k, &far) }); err == nil {
		t.Error("the year 3000 was stored")
	}
	if err := s.Writer().Do(t.Context(), func(tx *journal.Tx) error { return tx.DB().Create(&far).Error }); err == nil {
		t.Error("the year 3000 was stored by gorm")
	}
}

func TestListRefusesUnknownField(t *testing.T) {
	s, k := open(t), info[lamp]("lamp")
	if err := s.Bind(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	_, err := s.List(t.Context(), k, resources.Query{Where: map[string]any{"wats": 1}})
	var unknown *resources.UnknownError
	if !errors.As(err, &unknown) || !reflect.DeepEqual(unknown.Known, []string{"watts"}) {
		t.Errorf("%v, want an UnknownError that names watts", err)
	}
}

func TestErrorsOfReadsAreClassified(t *testing.T) {
	gone := errors.New("gone")
	writer := open(t).Writer()
	s, err := gormstore.New(gormstore.Options{Journal: writer, Classify: func(err error) error { return errors.Join(gone, err) }})
	if err != nil {
		t.Fatal(err)
	}
	k := info[lamp]("lamp")
	if err := s.Bind(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	if err := writer.Do(t.Context(), func(tx *journal.Tx) error { return tx.DB().Exec("DROP TABLE lamps").Error }); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() error{
		"Load":        func() error { _, err := s.Load(t.Context(), k, "l1"); return err },
		"List":        func() error { _, err := s.List(t.Context(), k, resources.Query{}); return err },
		"CountStates": func() error { _, err := s.CountStates(t.Context(), k); return err },
	} {
		if err := read(); !errors.Is(err, gone) || !strings.Contains(err.Error(), "lamps") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
