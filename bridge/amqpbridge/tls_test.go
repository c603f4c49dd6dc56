package amqpbridge_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/amqpbridge"
)

// certificate returns one for 127.0.0.1 that is its own authority, and the authority.
func certificate(t testing.TB, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: until.Add(-time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLS(t *testing.T) {
	t.Parallel()
	own, authority := certificate(t, time.Now().Add(time.Hour))
	expired, expiredAuthority := certificate(t, time.Now().Add(-time.Minute))
	withOwn := &tls.Config{RootCAs: authority, Certificates: []tls.Certificate{own}}
	for name, c := range map[string]struct {
		server *tls.Config
		client *tls.Config
		says   string // in Health; "" for none
	}{
		"an authority of the caller's":            {&tls.Config{Certificates: []tls.Certificate{own}}, &tls.Config{RootCAs: authority}, ""},
		"a certificate of the sink's own":         {&tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority}, withOwn, ""},
		"no certificate where one is asked for":   {&tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority}, &tls.Config{RootCAs: authority}, "certificate required"},
		"an authority that the machine has not":   {&tls.Config{Certificates: []tls.Certificate{own}}, nil, "unknown authority"},
		"a certificate that is over":              {&tls.Config{Certificates: []tls.Certificate{expired}}, &tls.Config{RootCAs: expiredAuthority}, "expired"},
		"a certificate for another server's name": {&tls.Config{Certificates: []tls.Certificate{own}}, &tls.Config{RootCAs: authority, ServerName: "broker.example"}, "broker.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broker := newFakeBroker(t)
			broker.tls = c.server
			broker.start()
			sink := newSink(t, amqpbridge.Options{URL: "amqps://guest:guest@" + broker.address, TLS: c.client})
			if c.says == "" {
				must(t, ready(t, sink))
				must(t, send(t, sink, message("1")))
				return
			}
			eventually(t, func() error {
				if err := sink.Health(t.Context()); !errors.Is(err, amqpbridge.ErrAway) || !strings.Contains(err.Error(), c.says) {
					return fmt.Errorf("health is %w", err)
				}
				return nil
			})
		})
	}
}
