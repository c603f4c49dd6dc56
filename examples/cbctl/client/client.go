package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxAnswer is how large an answer may be; the largest page of a thousand events is far below.
	maxAnswer = 256 << 20

	dialPatience   = 5 * time.Second
	headerPatience = time.Minute // a backup or a replay takes its time before it answers
)

// Options of a client.
type Options struct {
	Server string // Its address. Defaults to http://127.0.0.1:8080.
	Actor  string // Who asks: the header X-Actor. Defaults to none, which the server calls "api".
	Agent  string // The header User-Agent. Defaults to that of Go.
}

// DefaultServer is where a server listens unless it is told otherwise.
const DefaultServer = "http://127.0.0.1:8080"

// Client asks one server.
type Client struct {
	base  *url.URL
	http  *http.Client
	actor string
	agent string

	pause   func(context.Context, time.Duration) error // waits between two tries of a stream
	silence time.Duration                              // how long a stream may say nothing
}

// New returns a client of a server; it connects when it is asked something. Error: *AddressError.
func New(o Options) (*Client, error) {
	if o.Server == "" {
		o.Server = DefaultServer
	}
	base, err := parseServer(o.Server)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment, // never for this machine itself
		DialContext:           (&net.Dialer{Timeout: dialPatience}).DialContext,
		TLSHandshakeTimeout:   dialPatience,
		ResponseHeaderTimeout: headerPatience,
		ForceAttemptHTTP2:     true,
	}
	return &Client{base: base, http: &http.Client{Transport: transport}, actor: o.Actor, agent: o.Agent, pause: pause, silence: maxSilence}, nil
}

// parseServer reads a server's address; without a scheme it is http, and https unless that is this machine.
func parseServer(text string) (*url.URL, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = "https://" + text
		if u, err := url.Parse(full); err == nil && isLoopback(u.Hostname()) {
			full = "http://" + text
		}
	}
	u, err := url.Parse(full)
	switch {
	case err != nil:
		return nil, &AddressError{text, "can't be read"}
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, &AddressError{text, "must begin with http:// or https://"}
	case u.Hostname() == "":
		return nil, &AddressError{text, "names no host"}
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, &AddressError{text, "must be a host, a port and perhaps a path"}
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Server is the server's address.
func (c *Client) Server() string { return c.base.String() }

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Path joins the segments of a path, each escaped: "v1", "resources", kind, id.
func Path(segments ...string) string {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = url.PathEscape(s)
	}
	return "/" + strings.Join(escaped, "/")
}

// Read asks for what is at a path, and returns the answer as the server gave it. Errors: *Problem, *UnreachableError, *AnswerError, ctx's.
func (c *Client) Read(ctx context.Context, path string, query url.Values) ([]byte, error) {
	return c.ask(ctx, http.MethodGet, path, query, nil, nil)
}

// Fetch asks for JSON and decodes it. Errors: those of Read.
func (c *Client) Fetch(ctx context.Context, path string, query url.Values, into any) error {
	body, err := c.Read(ctx, path, query)
	if err != nil {
		return err
	}
	return c.decode(path, body, into)
}

// Send sends v as JSON and returns the answer as the server gave it. method is POST or PATCH. Errors: those of Read.
func (c *Client) Send(ctx context.Context, method, path string, v any) ([]byte, error) {
	return c.Act(ctx, "", method, path, v)
}

// Act sends as Send does, as an action of that verb, which the server records; "": none.
func (c *Client) Act(ctx context.Context, verb, method, path string, v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("client: %s %s: %w", method, path, err)
	}
	header := http.Header{}
	if verb != "" {
		header.Set("X-Action", verb)
	}
	return c.ask(ctx, method, path, nil, body, header)
}

func (c *Client) decode(path string, body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return &AnswerError{Server: c.Server(), Path: path, Reason: "isn't the JSON that was expected: " + err.Error()}
	}
	return nil
}

func (c *Client) ask(ctx context.Context, method, path string, query url.Values, body []byte, header http.Header) ([]byte, error) {
	resp, err := c.open(ctx, method, path, query, body, header)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, c.unreachable(ctx, err)
	case len(answer) > maxAnswer:
		return nil, &AnswerError{Server: c.Server(), Path: path, Reason: fmt.Sprintf("is larger than %d MiB", maxAnswer>>20)}
	}
	return answer, nil
}

// open sends a request and returns an answer of a good status, its body still to be read.
func (c *Client) open(ctx context.Context, method, path string, query url.Values, body []byte, header http.Header) (*http.Response, error) {
	address := c.base.String() + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("client: %s %s: %w", method, path, err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.actor != "" {
		r.Header.Set("X-Actor", c.actor)
	}
	if c.agent != "" {
		r.Header.Set("User-Agent", c.agent)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		defer func() { _ = resp.Body.Close() }()
		return nil, problemOf(resp, method, path)
	}
	return resp, nil
}

// unreachable says why the server can't be asked; whoever ended ctx knows why himself.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the address, which is told anyway
	}
	return &UnreachableError{Server: c.Server(), Err: err}
}
