package main

import "encoding/json"

// row is one comparison. Figures are costs: less is better.
type row struct {
	group  string
	name   string
	unit   string
	ours   float64
	peer   string   // "" if ours stands alone
	theirs *float64 // nil if ours stands alone
	bar    bar
}

// verdict is "ok", "SHORT", or "" where there is no bar.
func (r row) verdict() string {
	switch {
	case r.bar.sort == noBar:
		return ""
	case r.bar.met(r.ours, r.theirs):
		return "ok"
	default:
		return "SHORT"
	}
}

// MarshalJSON writes what the table shows, with all digits.
func (r row) MarshalJSON() ([]byte, error) {
	var ratio *float64
	if x, ok := r.bar.ratio(r.ours, r.theirs); ok {
		ratio = &x
	}
	return json.Marshal(struct {
		Group   string   `json:"group"`
		Name    string   `json:"name"`
		Unit    string   `json:"unit"`
		Ours    float64  `json:"ours"`
		Peer    string   `json:"peer,omitempty"`
		Theirs  *float64 `json:"theirs,omitempty"`
		Ratio   *float64 `json:"ratio,omitempty"`
		Bar     bar      `json:"bar"`
		Verdict string   `json:"verdict"`
	}{r.group, r.name, r.unit, r.ours, r.peer, r.theirs, ratio, r.bar, r.verdict()})
}

// short returns the rows that miss their bars.
func short(rows []row) []row {
	var missed []row
	for _, r := range rows {
		if r.verdict() == "SHORT" {
			missed = append(missed, r)
		}
	}
	return missed
}

// bars counts the rows that have one.
func bars(rows []row) int {
	n := 0
	for _, r := range rows {
		if r.bar.sort != noBar {
			n++
		}
	}
	return n
}
