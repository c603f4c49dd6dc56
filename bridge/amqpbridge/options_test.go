package amqpbridge_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/amqpbridge"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options amqpbridge.Options
		wrong   string // the option
	}{
		"none":                     {amqpbridge.Options{}, ""},
		"a cluster":                {amqpbridge.Options{URL: "amqps://u:p@a:5671/eu,amqps://u:p@b:5671/eu", TLS: &tls.Config{}}, ""},
		"another scheme":           {amqpbridge.Options{URL: "nats://localhost:4222"}, "URL"},
		"no URL":                   {amqpbridge.Options{URL: "amqp://u:hush@local host"}, "URL"},
		"a password not encoded":   {amqpbridge.Options{URL: "amqp://u:hu%sh@localhost"}, "URL"},
		"nothing but commas":       {amqpbridge.Options{URL: ", ,"}, "URL"},
		"the second is wrong":      {amqpbridge.Options{URL: "amqp://localhost,http://localhost"}, "URL"},
		"TLS without TLS":          {amqpbridge.Options{URL: "amqp://localhost", TLS: &tls.Config{}}, "TLS"},
		"a long exchange":          {amqpbridge.Options{Exchange: strings.Repeat("x", 256)}, "Exchange"},
		"an exchange of two lines": {amqpbridge.Options{Exchange: "a\nb"}, "Exchange"},
		"a long name":              {amqpbridge.Options{Name: strings.Repeat("x", 256)}, "Name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := amqpbridge.New(c.options)
			var wrong *bridge.OptionError
			switch {
			case c.wrong == "" && err != nil:
				t.Errorf("New: %v", err)
			case c.wrong != "" && (!errors.As(err, &wrong) || wrong.Option != c.wrong):
				t.Errorf("New: %v, want an error of option %s", err, c.wrong)
			case err != nil && strings.Contains(err.Error(), "hu"):
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestBindingKey(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		">": "cloudbus.*.#", "vm.>": "cloudbus.*.vm.#", "vm.state.running": "cloudbus.*.vm.state.running", "*.created": "cloudbus.*.*.created",
	} {
		if got, err := amqpbridge.BindingKey(pattern); err != nil || got != want {
			t.Errorf("BindingKey(%s) = %s, %v, want %s", pattern, got, err, want)
		}
	}
	for _, pattern := range []string{"", "vm..x", "vm.>.x", "vm.#"} {
		if got, err := amqpbridge.BindingKey(pattern); !errors.Is(err, bridge.ErrSubject) {
			t.Errorf("BindingKey(%s) = %s, %v, want an error", pattern, got, err)
		}
	}
}
