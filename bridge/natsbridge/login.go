package natsbridge

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go"
)

// Login says who we are to the broker, and by what we know the broker. The zero value is nobody, over TLS only if the broker or the URL asks for it.
//
// Files are looked at when the options are checked, where one that is missing or makes no sense is an error, and read again for each connection:
// one that is renewed is used from the next connection on.
//
// User, Token, NKey and Credentials exclude one another. A Login is printed and logged without its secrets.
type Login struct {
	CA          string // File of the certificates, PEM, that the broker's is checked by; asks for TLS. Defaults to the system's.
	Certificate string // File of the client certificate, PEM; asks for TLS. Defaults to none.
	Key         string // File of the client certificate's key, PEM. Defaults to none.
	User        string // Defaults to none.
	Password    string // Of User. Defaults to none.
	Token       string // Defaults to none.
	NKey        string // File of an nkey's seed. Defaults to none.
	Credentials string // File with a user's JWT and seed, as "nsc" writes it. Defaults to none.
}

func (l Login) check() error {
	var ways []string
	for _, way := range []struct{ name, value string }{{"User", l.User}, {"Token", l.Token}, {"NKey", l.NKey}, {"Credentials", l.Credentials}} {
		if way.value != "" {
			ways = append(ways, way.name)
		}
	}
	switch {
	case len(ways) > 1:
		return loginError(ways[1], "given", "excludes "+ways[0])
	case l.Password != "" && l.User == "":
		return loginError("Password", "given", "needs a User")
	case l.Key != "" && l.Certificate == "":
		return loginError("Key", l.Key, "needs a Certificate")
	case l.Certificate != "" && l.Key == "":
		return loginError("Certificate", l.Certificate, "needs a Key")
	}
	return nil
}

func loginError(option, value, reason string) error {
	return &bridge.OptionError{Option: "Login." + option, Value: value, Reason: reason}
}

// identity reports whether l says who we are by other means than a certificate.
func (l Login) identity() bool { return l.User+l.Token+l.NKey+l.Credentials != "" }

// apply sets what l says, and reads each file once to see that it can be used.
func (l Login) apply(o *nats.Options) error {
	o.User, o.Password, o.Token = l.User, l.Password, l.Token
	for _, file := range []struct {
		option, path string
		set          func(o *nats.Options) error
	}{
		{"CA", l.CA, nats.RootCAs(l.CA)},
		{"Certificate", l.Certificate, nats.ClientCert(l.Certificate, l.Key)},
		{"NKey", l.NKey, l.nkey},
		{"Credentials", l.Credentials, l.credentials},
	} {
		if file.path == "" {
			continue
		}
		if err := file.set(o); err != nil {
			return loginError(file.option, file.path, err.Error())
		}
	}
	return nil
}

func (l Login) nkey(o *nats.Options) error {
	set, err := nats.NkeyOptionFromSeed(l.NKey)
	if err != nil {
		return err
	}
	return set(o)
}

func (l Login) credentials(o *nats.Options) error {
	if err := nats.UserCredentials(l.Credentials)(o); err != nil {
		return err
	}
	token, err := o.UserJWT()
	if err != nil {
		return err
	}
	if strings.Count(token, ".") != 2 || strings.ContainsAny(token, " \t\r\n") {
		return errors.New("holds no user JWT")
	}
	_, err = o.SignatureCB([]byte("a nonce"))
	return err
}

// fault is what l itself knows to be wrong at the time: a broker that doesn't like a certificate often hangs up without a word.
func (l Login) fault(now time.Time) error {
	if l.Certificate == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(l.Certificate, l.Key)
	if err != nil {
		return fmt.Errorf("client certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	switch {
	case err != nil:
		return fmt.Errorf("client certificate %s: %w", l.Certificate, err)
	case now.After(leaf.NotAfter):
		return fmt.Errorf("client certificate %s has expired at %s", l.Certificate, leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("client certificate %s is valid from %s", l.Certificate, leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// String tells how l logs in, without secrets.
func (l Login) String() string {
	var parts []string
	for _, part := range []struct{ name, value string }{
		{"CA", l.CA}, {"certificate", l.Certificate}, {"user", l.User}, {"password", hidden(l.Password)}, {"token", hidden(l.Token)}, {"nkey", l.NKey}, {"credentials", l.Credentials},
	} {
		if part.value != "" {
			parts = append(parts, part.name+" "+part.value)
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// GoString is String: %#v shows no secrets either.
func (l Login) GoString() string { return "natsbridge.Login" + l.String() }

// LogValue is String.
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

func hidden(secret string) string {
	if secret == "" {
		return ""
	}
	return "(hidden)"
}
