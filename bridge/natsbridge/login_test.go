package natsbridge_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

const secret = "never-to-be-seen"

// logins are the ways to log in, each with a login that the server takes and one that it doesn't.
func logins(t *testing.T) map[string]struct {
	server       func(*server.Options)
	right, wrong natsbridge.Login
	says         string // what Health says of the wrong one
} {
	now := time.Now()
	pki, other := newAuthority(t, "ca"), newAuthority(t, "other")
	name := pki.issue(t, "server", now.Add(-time.Hour), now.Add(time.Hour))
	old := pki.issue(t, "old-server", now.Add(-2*time.Hour), now.Add(-time.Hour))
	client := pki.issue(t, "client", now.Add(-time.Hour), now.Add(time.Hour))
	oldClient := pki.issue(t, "old-client", now.Add(-2*time.Hour), now.Add(-time.Hour))
	stranger := other.issue(t, "stranger", now.Add(-time.Hour), now.Add(time.Hour))
	public, seed := nkey(t)
	_, otherSeed := nkey(t)
	resolver, trusted, rightCreds := credentials(t)
	_, _, wrongCreds := credentials(t)
	over := func(p pair, verify bool) func(*server.Options) {
		return func(o *server.Options) { pki.secure(t, o, p, verify) }
	}
	withClient := func(p pair) natsbridge.Login {
		return natsbridge.Login{CA: pki.file, Certificate: p.certificate, Key: p.key}
	}
	return map[string]struct {
		server       func(*server.Options)
		right, wrong natsbridge.Login
		says         string
	}{
		"password": {
			func(o *server.Options) { o.Username, o.Password = "cloudbus", secret },
			natsbridge.Login{User: "cloudbus", Password: secret}, natsbridge.Login{User: "cloudbus", Password: secret + "2"}, "authorization violation",
		},
		"token": {
			func(o *server.Options) { o.Authorization = secret },
			natsbridge.Login{Token: secret}, natsbridge.Login{Token: secret + "2"}, "authorization violation",
		},
		"nkey": {
			func(o *server.Options) { o.Nkeys = []*server.NkeyUser{{Nkey: public}} },
			natsbridge.Login{NKey: seed}, natsbridge.Login{NKey: otherSeed}, "authorization violation",
		},
		"credentials": {
			func(o *server.Options) {
				o.JetStream, o.AccountResolver, o.TrustedOperators = false, resolver, []*jwt.OperatorClaims{trusted}
			},
			natsbridge.Login{Credentials: rightCreds}, natsbridge.Login{Credentials: wrongCreds}, "authorization violation",
		},
		"nobody": {
			func(o *server.Options) { o.Username, o.Password = "cloudbus", secret },
			natsbridge.Login{User: "cloudbus", Password: secret}, natsbridge.Login{}, "authorization violation",
		},
		"authority":            {over(name, false), natsbridge.Login{CA: pki.file}, natsbridge.Login{CA: other.file}, "unknown authority"},
		"system's authorities": {over(name, false), natsbridge.Login{CA: pki.file}, natsbridge.Login{}, "unknown authority"},
		"expired server":       {over(old, false), natsbridge.Login{}, natsbridge.Login{CA: pki.file}, "expired"},
		"client certificate":   {over(name, true), withClient(client), natsbridge.Login{CA: pki.file}, "tls"},
		"stranger's":           {over(name, true), withClient(client), withClient(stranger), ""},
		"expired client":       {over(name, true), withClient(client), withClient(oldClient), oldClient.certificate + " has expired"},
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	for name, c := range logins(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t, c.server).start()
			t.Run("wrong", func(t *testing.T) { checkRefused(t, b, c.wrong, c.says) })
			if c.right != (natsbridge.Login{}) {
				t.Run("right", func(t *testing.T) { checkTaken(t, b, c.right) })
			}
		})
	}
}

// checkTaken sends a message over core NATS, which the tests' accounts all have.
func checkTaken(t *testing.T, b *broker, l natsbridge.Login) {
	sink, err := natsbridge.NewCore(natsbridge.CoreOptions{URL: b.url(), Login: l})
	must(t, err)
	must(t, sink.Open(t.Context(), slog.New(slog.DiscardHandler)))
	defer sink.Close(t.Context())
	eventually(t, func() error { return sink.Health(t.Context()) })
	must(t, sink.Send(t.Context(), bridge.Message{ID: "1", Subject: "cloudbus._.vm.created", Data: []byte("{}")}))
}

// checkRefused looks at what a sink says of a broker that doesn't take it, and how often it tries.
func checkRefused(t *testing.T, b *broker, l natsbridge.Login, says string) {
	log := &safeBuffer{}
	sink, err := natsbridge.New(natsbridge.Options{URL: b.url(), Login: l})
	must(t, err)
	must(t, sink.Open(t.Context(), slog.New(slog.NewTextHandler(log, nil))))
	defer sink.Close(t.Context())
	eventually(t, func() error {
		if err := sink.Health(t.Context()); !errors.Is(err, natsbridge.ErrAway) || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(says)) {
			return fmt.Errorf("health is %v, want %q", err, says)
		}
		return nil
	})
	text := fmt.Sprintf("%v %s %+v %#v", sink.Health(t.Context()), log, l, natsbridge.Options{Login: l})
	if strings.Contains(text, secret) || strings.Contains(text, "SUA") || strings.Contains(text, "eyJ") {
		t.Errorf("a secret is in %s", text)
	}
	checkPace(t, b)
}

// checkPace waits for some more attempts, and finds fault if they come fast.
func checkPace(t *testing.T, b *broker) {
	const attempts, pause = 3, 500 * time.Millisecond
	connects := func() uint64 {
		v, err := b.server.Varz(nil)
		must(t, err)
		return v.TotalConnections
	}
	first := connects()
	began := time.Now()
	eventually(t, func() error {
		if n := connects() - first; n < attempts {
			return fmt.Errorf("%d attempts", n)
		}
		return nil
	})
	if took := time.Since(began); took < (attempts-1)*pause*8/10 {
		t.Errorf("%d attempts within %v: the sink tries too often", attempts, took)
	}
}

func TestLoginIsReadAgainWhenItIsRenewed(t *testing.T) {
	t.Parallel()
	now := time.Now()
	pki := newAuthority(t, "ca")
	name := pki.issue(t, "server", now.Add(-time.Hour), now.Add(time.Hour))
	client := pki.issue(t, "client", now.Add(-2*time.Hour), now.Add(-time.Hour))
	b := newBroker(t, func(o *server.Options) { pki.secure(t, o, name, true) }).start()
	sink, err := natsbridge.New(natsbridge.Options{URL: b.url(), Login: natsbridge.Login{CA: pki.file, Certificate: client.certificate, Key: client.key}})
	must(t, err)
	must(t, sink.Open(t.Context(), slog.New(slog.DiscardHandler)))
	defer sink.Close(t.Context())
	eventually(t, func() error {
		if err := sink.Health(t.Context()); err == nil || !strings.Contains(err.Error(), "has expired") {
			return fmt.Errorf("health is %v", err)
		}
		return nil
	})
	renewed := pki.issue(t, "renewed", now.Add(-time.Hour), now.Add(time.Hour))
	must(t, os.Rename(renewed.key, client.key))
	must(t, os.Rename(renewed.certificate, client.certificate))
	must(t, sink.Ready(t.Context()))
}

func TestLoginFilesThatCantBeUsedAreFoundAtTheStart(t *testing.T) {
	now := time.Now()
	pki := newAuthority(t, "ca")
	a, b := pki.issue(t, "a", now, now.Add(time.Hour)), pki.issue(t, "b", now, now.Add(time.Hour))
	_, seed := nkey(t)
	missing := t.TempDir() + "/missing"
	for name, c := range map[string]struct {
		login  natsbridge.Login
		option string
	}{
		"authority":      {natsbridge.Login{CA: missing}, "Login.CA"},
		"no authority":   {natsbridge.Login{CA: a.key}, "Login.CA"},
		"certificate":    {natsbridge.Login{Certificate: missing, Key: a.key}, "Login.Certificate"},
		"key":            {natsbridge.Login{Certificate: a.certificate, Key: missing}, "Login.Certificate"},
		"key of another": {natsbridge.Login{Certificate: a.certificate, Key: b.key}, "Login.Certificate"},
		"seed":           {natsbridge.Login{NKey: missing}, "Login.NKey"},
		"no seed":        {natsbridge.Login{NKey: a.key}, "Login.NKey"},
		"credentials":    {natsbridge.Login{Credentials: missing}, "Login.Credentials"},
		"seed alone":     {natsbridge.Login{Credentials: seed}, "Login.Credentials"},
		"no credentials": {natsbridge.Login{Credentials: a.key}, "Login.Credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			var wrong *bridge.OptionError
			if _, err := natsbridge.New(natsbridge.Options{Login: c.login}); !errors.As(err, &wrong) || wrong.Option != c.option {
				t.Errorf("%v, want an OptionError of %s", err, c.option)
			}
		})
	}
}

func TestErrorsHideWhoTheURLLogsInAs(t *testing.T) {
	for _, url := range []string{"nats://me:" + secret + "@a b", "me:" + secret + "@ho st", "nats://me:" + secret + "@"} {
		if _, err := natsbridge.New(natsbridge.Options{URL: url}); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}

// nkey makes a user's key, and a file with its seed.
func nkey(t *testing.T) (public, file string) {
	t.Helper()
	user, err := nkeys.CreateUser()
	must(t, err)
	public, err = user.PublicKey()
	must(t, err)
	seed, err := user.Seed()
	must(t, err)
	return public, write(t, "user.nk", seed)
}

// credentials makes an operator with an account and a user, and a file with the user's credentials.
func credentials(t *testing.T) (server.AccountResolver, *jwt.OperatorClaims, string) {
	t.Helper()
	operator, err := nkeys.CreateOperator()
	must(t, err)
	account, err := nkeys.CreateAccount()
	must(t, err)
	user, err := nkeys.CreateUser()
	must(t, err)
	public := func(k nkeys.KeyPair) string {
		p, err := k.PublicKey()
		must(t, err)
		return p
	}
	trusted := jwt.NewOperatorClaims(public(operator))
	accountToken, err := jwt.NewAccountClaims(public(account)).Encode(operator)
	must(t, err)
	resolver := &server.MemAccResolver{}
	must(t, resolver.Store(public(account), accountToken))
	token, err := jwt.NewUserClaims(public(user)).Encode(account)
	must(t, err)
	seed, err := user.Seed()
	must(t, err)
	text, err := jwt.FormatUserConfig(token, seed)
	must(t, err)
	return resolver, trusted, write(t, "user.creds", text)
}

// secure has the server ask for TLS with a certificate of a.
func (a *authority) secure(t *testing.T, o *server.Options, p pair, verify bool) {
	certificate, err := tls.LoadX509KeyPair(p.certificate, p.key)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	o.TLS, o.TLSVerify, o.TLSTimeout = true, verify, 5
	o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, ClientCAs: pool, MinVersion: tls.VersionTLS12}
	if verify {
		o.TLSConfig.ClientAuth = tls.RequireAndVerifyClientCert
	}
}

// safeBuffer is a bytes.Buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
