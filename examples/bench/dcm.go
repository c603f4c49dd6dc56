package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go/jetstream"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// consumer takes reports as DCM's control plane does (github.com/dcm-project/control-plane, internal/sp/consumer): it decodes one, looks whether it
// is valid, updates one row by gorm, acknowledges it, and takes the next. Nothing else is checked, moved or told.
type consumer struct {
	db       *gorm.DB
	messages jetstream.MessagesContext
}

// instance is the row.
type instance struct {
	ID        string `gorm:"primaryKey"`
	Status    string
	Message   string
	UpdatedAt time.Time
}

// openAsDCM opens a database as DCM does: the driver's defaults, which are a rollback journal and a statement compiled each time.
func openAsDCM(path string) (*gorm.DB, error) {
	return gorm.Open(sqlite.Open(path), &gorm.Config{TranslateError: true, Logger: logger.Discard})
}

// openAsOurs opens one with the settings that ours has, and with prepared statements.
func openAsOurs(path string, pragmas map[string]string) (*gorm.DB, error) {
	pool, err := openDatabase(path, pragmas)
	if err != nil {
		return nil, err
	}
	return gorm.Open(sqlite.New(sqlite.Config{Conn: pool}), &gorm.Config{PrepareStmt: true, Logger: logger.Discard})
}

// consume makes a consumer with a place of its own in the stream.
func consume(db *gorm.DB, name string, r *reports) (*consumer, error) {
	rows := make([]instance, len(r.ids))
	for i, id := range r.ids {
		rows[i] = instance{ID: id, Status: "PROVISIONING"}
	}
	if err := errors.Join(db.AutoMigrate(&instance{}), db.CreateInBatches(rows, 500).Error); err != nil {
		return nil, err
	}
	place, err := r.stream.js.CreateConsumer(r.stream.ctx, statusStream, jetstream.ConsumerConfig{Durable: name, AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		return nil, err
	}
	c := &consumer{db: db}
	c.messages, err = place.Messages()
	return c, err
}

// turn takes some reports and returns the µs of one.
func (c *consumer) turn(r *reports) ([]float64, error) {
	const n = consumerTakes
	if err := r.publish(n); err != nil {
		return nil, err
	}
	begun := time.Now()
	for range n {
		m, err := c.messages.Next()
		if err != nil {
			return nil, err
		}
		if err := c.take(m); err != nil {
			return nil, err
		}
	}
	return []float64{float64(time.Since(begun).Microseconds()) / float64(n)}, nil
}

func (c *consumer) take(m jetstream.Msg) error {
	var e cloudevents.Event
	if err := json.Unmarshal(m.Data(), &e); err != nil {
		return err
	}
	if err := e.Validate(); err != nil {
		return err
	}
	var said struct{ ID, Status, Message string }
	if err := e.DataAs(&said); err != nil {
		return err
	}
	if said.ID == "" || said.Status == "" {
		return fmt.Errorf("event %s says nothing", e.ID())
	}
	done := c.db.WithContext(context.Background()).Model(&instance{}).Where("id = ?", said.ID).Updates(map[string]any{"status": said.Status, "message": said.Message})
	if done.Error == nil && done.RowsAffected != 1 {
		done.Error = fmt.Errorf("there is no instance %s", said.ID)
	}
	if done.Error != nil {
		return done.Error
	}
	return m.Ack()
}

func (c *consumer) stop() error {
	c.messages.Stop()
	pool, err := c.db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}
