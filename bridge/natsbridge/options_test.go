package natsbridge_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

func TestBadOptions(t *testing.T) {
	t.Parallel()
	conn := new(nats.Conn)
	for name, c := range map[string]struct {
		options natsbridge.Options
		option  string
	}{
		"URL":                    {natsbridge.Options{URL: "nats://a b"}, "URL"},
		"URL without host":       {natsbridge.Options{URL: "nats://h:4222,nats://"}, "URL"},
		"Conn and URL":           {natsbridge.Options{Conn: conn, URL: "nats://h"}, "Conn"},
		"Conn and options":       {natsbridge.Options{Conn: conn, Connection: []nats.Option{nats.Name("x")}}, "Conn"},
		"in process and URL":     {natsbridge.Options{InProcess: &server.Server{}, URL: "nats://h"}, "InProcess"},
		"in process, a nil":      {natsbridge.Options{InProcess: (*server.Server)(nil)}, "InProcess"},
		"stream name":            {natsbridge.Options{Stream: "a.b"}, "Stream"},
		"replicas":               {natsbridge.Options{Replicas: 6}, "Replicas"},
		"max age":                {natsbridge.Options{MaxAge: -1}, "MaxAge"},
		"max bytes":              {natsbridge.Options{MaxBytes: -1}, "MaxBytes"},
		"max messages":           {natsbridge.Options{MaxMsgs: -1}, "MaxMsgs"},
		"duplicates short":       {natsbridge.Options{Duplicates: time.Millisecond}, "Duplicates"},
		"duplicates too long":    {natsbridge.Options{Duplicates: time.Hour, MaxAge: time.Minute}, "Duplicates"},
		"URL of commas":          {natsbridge.Options{URL: " , "}, "URL"},
		"ack timeout":            {natsbridge.Options{AckTimeout: -1}, "AckTimeout"},
		"ack timeout too long":   {natsbridge.Options{AckTimeout: time.Minute}, "AckTimeout"},
		"Conn and login":         {natsbridge.Options{Conn: conn, Login: natsbridge.Login{User: "x"}}, "Conn"},
		"two logins":             {natsbridge.Options{Login: natsbridge.Login{User: "x", Token: "y"}}, "Login.Token"},
		"password alone":         {natsbridge.Options{Login: natsbridge.Login{Password: "x"}}, "Login.Password"},
		"key alone":              {natsbridge.Options{Login: natsbridge.Login{Key: "x"}}, "Login.Key"},
		"certificate alone":      {natsbridge.Options{Login: natsbridge.Login{Certificate: "x"}}, "Login.Certificate"},
		"login in URL too":       {natsbridge.Options{URL: "nats://x:y@h", Login: natsbridge.Login{User: "x"}}, "URL"},
		"option that is refused": {natsbridge.Options{Connection: []nats.Option{nats.RootCAs("/does/not/exist")}}, "Connection"},
	} {
		t.Run(name, func(t *testing.T) {
			var wrong *bridge.OptionError
			if _, err := natsbridge.New(c.options); !errors.As(err, &wrong) || wrong.Option != c.option {
				t.Errorf("%v, want an OptionError of %s", err, c.option)
			}
		})
	}
}

func TestOptionsThatWouldGiveUpAreOverruled(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url(), Connection: []nats.Option{
		nats.NoReconnect(), nats.MaxReconnects(1), nats.RetryOnFailedConnect(false), nats.ReconnectBufSize(8 << 20),
	}})
	v := h.create("acme")
	eventually(t, h.published(1))
	broker.stop()
	h.fire(v.ID, cycle...)
	broker.start()
	eventually(t, h.published(5))
}
