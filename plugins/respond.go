package plugins

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Respond writes v as JSON with a status. A v that can't be encoded is answered with 500.
func Respond(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer can't be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that left needs no answer
}

// RespondError writes {"error": "…"}.
func RespondError(w http.ResponseWriter, status int, err error) {
	Respond(w, status, struct {
		Error string `json:"error"`
	}{err.Error()})
}

// Params returns the query parameters of a request. One that isn't allowed, is given twice, or can't be read is an error that names those allowed.
func Params(r *http.Request, allowed ...string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("malformed query: %w", err)
	}
	for name, given := range values {
		if !slices.Contains(allowed, name) {
			return nil, fmt.Errorf("unknown parameter %q (allowed: %s)", name, strings.Join(allowed, ", "))
		}
		if len(given) > 1 {
			return nil, fmt.Errorf("parameter %q is given %d times", name, len(given))
		}
	}
	return values, nil
}
