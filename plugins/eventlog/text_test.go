package eventlog_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

func TestTextIsWordsPhrasesAndPrefixes(t *testing.T) {
	for text, want := range map[string][]string{
		"Timeout":                      {"timeout"},
		" two  words ":                 {"two", "words"},
		`"a Phrase, with commas" more`: {"a phrase with commas", "more"},
		"pre*":                         {"pre*"},
		"web-*":                        {"web-*"},
		"vm/web-1":                     {"vm web-1"},
		"vm/web*":                      {"vm web*"},
		"10.0.0.7 user:42 a@b":         {"10.0.0.7", "user:42", "a@b"},
		"and or not":                   {"and", "or", "not"},
		"über* 東京":                     {"über*", "東京"},
	} {
		if got, err := eventlog.Clauses(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestTextThatIsNeitherIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"   ":                    "has no word",
		"...":                    "has no word in ...",
		`"open`:                  `has a " that isn't closed`,
		`""`:                     "has a phrase without a word",
		`"a"b`:                   "has a phrase with no space behind it",
		`"a pre*"`:               "has a * inside a phrase",
		"a\u200bb":               `has the character '\u200b' outside of a phrase`,
		"a*b":                    "has a * that isn't at the end of a word",
		"a**":                    "has a * that isn't at the end of a word",
		"*":                      "has no word in *",
		"a OR b":                 "has the operator OR, and there are none",
		"NOT a":                  "has the operator NOT, and there are none",
		"-a":                     "excludes a word",
		"(a)":                    "has the character '(' outside of a phrase",
		"a|b":                    "has the character '|' outside of a phrase",
		"a~2":                    "has the character '~' outside of a phrase",
		"\xff":                   "is not valid UTF-8",
		strings.Repeat("x", 300): "is longer than 256 bytes",
		strings.Repeat("x ", 17): "has more than 16 words",
		"a/*":                    "has a prefix without a word",
	} {
		_, err := eventlog.Clauses(text)
		var refused *eventlog.QueryError
		if !errors.As(err, &refused) || refused.Field != "text" || !strings.Contains(refused.Reason, want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestTextMatches(t *testing.T) {
	const data = `{"kind":"vm","message":"Live migration to host-7 failed: no route","n":42,"more":["host-8 is full"]}`
	for text, want := range map[string]bool{
		"failed": true, "FAILED": true, "fail": false, "fail*": true, "host-7 host-8": true, "host-9": false, "host": false, "host-*": true,
		`"migration to host-7"`: true, `"to migration"`: false, `"route host-8"`: false, `"no route"`: true, "42": true, "message": false, "kind": false, "vm": true,
		`"host-8 is" "live migration" rou*`: true,
	} {
		if got, err := eventlog.Matches(text, data); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
}

// FuzzText: what a search is made of is found in a text that has it, and nothing makes the parser panic.
func FuzzText(f *testing.F) {
	for _, text := range []string{`a "b c" d*`, `"`, "a/b* -", "web-*", `"x" "y"`, "é*", "OR"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		clauses, err := eventlog.Clauses(text)
		if err != nil {
			var refused *eventlog.QueryError
			if !errors.As(err, &refused) {
				t.Errorf("%q: %v is no *QueryError", text, err)
			}
			return
		}
		if !utf8.ValidString(text) || len(clauses) == 0 {
			t.Errorf("%q is accepted: %q", text, clauses)
		}
		data := `["` + strings.ReplaceAll(strings.Join(clauses, `","`), "*", "0") + `"]`
		if ok, err := eventlog.Matches(text, data); !ok || err != nil {
			t.Errorf("%q isn't found in %s: %v", text, data, err)
		}
	})
}
