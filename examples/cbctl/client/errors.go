package client

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// Problem is the server's refusal.
type Problem struct {
	Status  int      `json:"-"` // 409
	Request string   `json:"-"` // POST /v1/resources/vm/web1/fire
	ID      string   `json:"-"` // of the request, as it stands in the server's log and in the events that it caused
	Reason  string   `json:"error"`
	Allowed []string `json:"allowed"` // what could have stood in the place of what was wrong
}

func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Reason)
	if allowed := strings.Join(p.Allowed, ", "); allowed != "" && !strings.Contains(p.Reason, allowed) { // some reasons name it themselves
		b.WriteString(" (allowed: " + allowed + ")")
	}
	return b.String()
}

// UnreachableError: the server can't be asked, or didn't come to the end of its answer.
type UnreachableError struct {
	Server string
	Err    error
}

func (e *UnreachableError) Error() string { return fmt.Sprintf("can't reach %s: %v", e.Server, e.Err) }

func (e *UnreachableError) Unwrap() error { return e.Err }

// AnswerError: what answers isn't a server of this kind.
type AnswerError struct {
	Server, Path, Reason string
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("the answer of %s to %s %s", e.Server, e.Path, e.Reason)
}

// AddressError: no server has an address like that.
type AddressError struct{ Address, Reason string }

func (e *AddressError) Error() string {
	return fmt.Sprintf("server %q %s, as http://127.0.0.1:8080", e.Address, e.Reason)
}

// maxProblem is how much of a refusal is read.
const maxProblem = 1 << 20

// problemOf reads a refusal; one that isn't in the server's words is told by its status, and its beginning.
func problemOf(resp *http.Response, method, path string) error {
	p := &Problem{Status: resp.StatusCode, Request: method + " " + path, ID: resp.Header.Get("X-Request-ID")}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem)) // what came of it is enough
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if media == "application/json" && json.Unmarshal(body, p) == nil && p.Reason != "" {
		return p
	}
	text := strings.TrimSpace(string(body))
	if line, _, more := strings.Cut(text, "\n"); more {
		text = line + " …"
	}
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	*p = Problem{Status: p.Status, Request: p.Request, ID: p.ID, Reason: strings.TrimSuffix(fmt.Sprintf("%s answered %s: %s", p.Request, resp.Status, text), ": ")}
	return p
}
