package amqpbridge

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/cloudbus-go/cloudbus/bridge"
	amqp "github.com/rabbitmq/amqp091-go"
)

// Options of a Sink. The zero value publishes to a RabbitMQ on this machine.
type Options struct {
	URL       string      // Of the broker, or the nodes of one cluster with commas between, which are tried in turn; with "?auth_mechanism=external" the certificate in TLS is the login. Defaults to amqp://guest:guest@127.0.0.1:5672/.
	TLS       *tls.Config // For amqps URLs: authorities, a certificate of the sink's own. Defaults to the authorities of the machine.
	Name      string      // Of the connection, as RabbitMQ shows it. Defaults to "cloudbus".
	Exchange  string      // Where messages are published: a durable topic exchange, declared if it isn't there. Defaults to "cloudbus".
	Passive   bool        // Whether the exchange is somebody else's, with arguments of his own: it is looked for, not declared, and its type isn't checked. Defaults to no.
	Mandatory bool        // Whether a message that no queue takes is an error, repeated until a queue does, instead of acknowledged and gone. Defaults to no.
}

const (
	defaultURL      = "amqp://guest:guest@127.0.0.1:5672/"
	defaultName     = "cloudbus"
	defaultExchange = "cloudbus"
	maxShort        = 255 // bytes of a short string: names, routing keys, most properties (AMQP 0-9-1, section 4.2.5.3)
)

func (o Options) withDefaults() (Options, error) {
	o.URL = cmp.Or(o.URL, defaultURL)
	o.Name = cmp.Or(o.Name, defaultName)
	o.Exchange = cmp.Or(o.Exchange, defaultExchange)
	return o, o.check()
}

func (o Options) check() error {
	if len(o.Exchange) > maxShort || strings.ContainsAny(o.Exchange, "\r\n") {
		return &bridge.OptionError{Option: "Exchange", Value: o.Exchange, Reason: "must have at most 255 bytes and no line breaks"}
	}
	if len(o.Name) > maxShort {
		return &bridge.OptionError{Option: "Name", Value: o.Name, Reason: "must have at most 255 bytes"}
	}
	servers := o.servers()
	if len(servers) == 0 {
		return &bridge.OptionError{Option: "URL", Value: o.URL, Reason: "has no server: " + urlShape}
	}
	for _, server := range servers {
		uri, err := amqp.ParseURI(server)
		if err != nil {
			return &bridge.OptionError{Option: "URL", Value: redacted(server), Reason: fmt.Sprintf("%v: %s", reasonOf(err), urlShape)}
		}
		if o.TLS != nil && uri.Scheme != "amqps" {
			return &bridge.OptionError{Option: "TLS", Value: redacted(server), Reason: "is for URLs that begin with amqps://"}
		}
	}
	return nil
}

const urlShape = "must be as amqps://user:password@host:5671/vhost, several with commas between; what is special in a URL percent-encoded"

func (o Options) servers() []string {
	var servers []string
	for server := range strings.SplitSeq(o.URL, ",") {
		if server = strings.TrimSpace(server); server != "" {
			servers = append(servers, server)
		}
	}
	return servers
}

// redacted is a URL without its password, for messages.
func redacted(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return "(a URL that can't be read)"
	}
	u.RawQuery = ""
	return u.Redacted()
}

// reasonOf is a parser's complaint without the text it complains about, in which there may be a password.
func reasonOf(err error) error {
	var broken *url.Error
	if errors.As(err, &broken) {
		return errors.New("is no URL")
	}
	return err
}
