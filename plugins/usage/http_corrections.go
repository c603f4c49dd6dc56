package usage

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// serveCorrections answers GET /v1/usage/corrections?tenant&kind&meter&resource&key&opened_seq&from&to&after&limit.
func (p *Plugin) serveCorrections(w http.ResponseWriter, r *http.Request) {
	q, err := parseCorrectionQuery(r)
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	found, next, err := p.Corrections(r.Context(), q)
	if err != nil {
		p.refuse(w, "corrections can't be listed", err)
		return
	}
	plugins.Respond(w, http.StatusOK, struct {
		Corrections []Correction `json:"corrections"`
		Next        bus.ID       `json:"next,omitzero"` // after of the next page
	}{found, next})
}

func parseCorrectionQuery(r *http.Request) (q CorrectionQuery, err error) {
	values, err := plugins.Params(r, "tenant", "kind", "meter", "resource", "key", "opened_seq", "from", "to", "after", "limit")
	if err != nil {
		return q, err
	}
	q = CorrectionQuery{Tenant: values.Get("tenant"), Kind: values.Get("kind"), Meter: values.Get("meter"), ResourceID: values.Get("resource"), Key: values.Get("key")}
	if q.From, err = parseTime(values, "from"); err != nil {
		return q, err
	}
	if q.To, err = parseTime(values, "to"); err != nil {
		return q, err
	}
	if q.After, err = bus.ParseID(values.Get("after")); err != nil {
		return q, &QueryError{Field: "after", Value: values.Get("after"), Reason: "is no correction's id"}
	}
	if seq := values.Get("opened_seq"); seq != "" {
		if q.OpenedSeq, err = strconv.ParseUint(seq, 10, 63); err != nil || q.OpenedSeq == 0 {
			return q, &QueryError{Field: "opened_seq", Value: seq, Reason: "is no event's number"}
		}
	}
	if limit := values.Get("limit"); limit != "" {
		if q.Limit, err = strconv.Atoi(limit); err != nil || q.Limit < 1 {
			return q, &QueryError{Field: "limit", Value: limit, Reason: "is not in 1 to " + strconv.Itoa(maxLimit)}
		}
	}
	return q, nil
}

// maxBody is larger than any correction.
const maxBody = 64 << 10

// serveCorrect answers POST /v1/usage/corrections with 201 and the new entry, or with 200 and the one that has the key already.
func (p *Plugin) serveCorrect(w http.ResponseWriter, r *http.Request) {
	if _, err := plugins.Params(r); err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		plugins.RespondError(w, http.StatusRequestEntityTooLarge, errors.New("usage: correction: the body is larger than 64 KiB"))
		return
	}
	var c Correction
	if err == nil {
		c, err = parseCorrection(body)
	}
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	entry, isNew, err := p.correct(r.Context(), c)
	switch {
	case err != nil:
		p.refuse(w, "a correction can't be entered", err)
	case isNew:
		plugins.Respond(w, http.StatusCreated, entry)
	default:
		plugins.Respond(w, http.StatusOK, entry)
	}
}

// correctable are the fields that a correction's body may have.
var correctable = []string{
	"key", "tenant", "kind", "meter", "resource_id", "size", "at", "from", "to", "seconds", "opened_seq", "reverses", "reason", "actor",
}

// parseCorrection reads a JSON object. What encoding/json would pass over is refused: unknown names, names in other letters, names given twice, null, what follows.
func parseCorrection(body []byte) (c Correction, err error) {
	if !utf8.Valid(body) {
		return c, bodyFault("", "isn't UTF-8", nil)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return c, bodyFault("", "is no JSON object such as "+`{"key":"…","meter":"vm.running","at":"…","seconds":-3600,"reason":"…","actor":"…"}`, nil)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	_, _ = d.Token() // the opening brace; all of it was decoded before
	for seen := map[string]bool{}; d.More(); {
		token, _ := d.Token()
		name, _ := token.(string)
		var value json.RawMessage
		switch _ = d.Decode(&value); {
		case !slices.Contains(correctable, name):
			return c, bodyFault(name, "is unknown", correctable)
		case seen[name]:
			return c, bodyFault(name, "comes more than once", nil)
		case string(value) == "null":
			return c, bodyFault(name, "is null: give a value, or leave it out", nil)
		}
		seen[name] = true
	}
	d = json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields() // of size
	if err := d.Decode(&c); err != nil {
		var mismatch *json.UnmarshalTypeError
		if errors.As(err, &mismatch) {
			return c, bodyFault(mismatch.Field, "can't be a JSON "+mismatch.Value, nil)
		}
		return c, bodyFault("", "is not the JSON that is needed: "+err.Error(), nil)
	}
	return c, nil
}

func bodyFault(field, reason string, known []string) error {
	if field == "" {
		return &CorrectionError{Field: "the body", Reason: reason, Known: known}
	}
	return &CorrectionError{Field: "field", Value: field, Reason: reason, Known: known}
}
