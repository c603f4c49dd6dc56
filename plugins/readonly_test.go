package plugins_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"gorm.io/gorm"
)

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

func TestWriteFromInsideAMemberIsRefusedAtOnce(t *testing.T) {
	rt, _ := started(t, plugins.Options{Bus: durableBus(t)})
	var inner error
	err := rt.Write(t.Context(), func(tx *journal.Tx) error {
		inner = rt.Write(tx.Context(), func(*journal.Tx) error { return nil })
		return nil
	})
	if err != nil || !errors.Is(inner, journal.ErrInWriter) {
		t.Errorf("outer %v, inner %v", err, inner)
	}
}
