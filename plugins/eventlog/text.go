package eventlog

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxText    = 256 // bytes of a search
	maxClauses = 16  // words in it
)

// clause is a part of a search: words that follow one another in one value of the data, the last of them perhaps only begun.
type clause struct {
	words  []string
	prefix bool
}

// search is what a text asks for: all clauses hold.
type search []clause

// parseText reads words, "phrases" and prefix*. What is wrong with it is a *QueryError.
func parseText(text string) (search, error) {
	refuse := func(reason string) (search, error) {
		return nil, &QueryError{Field: "text", Value: text, Reason: reason, Known: []string{"words, all of which must be there", `"a phrase"`, "prefix*"}}
	}
	if len(text) > maxText {
		return refuse("is longer than 256 bytes")
	}
	if !utf8.ValidString(text) {
		return refuse("is not valid UTF-8")
	}
	var s search
	count := 0
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimLeftFunc(rest, unicode.IsSpace) {
		var c clause
		var reason string
		if rest[0] == '"' {
			c, rest, reason = parsePhrase(rest)
		} else {
			c, rest, reason = parseWord(rest)
		}
		if reason != "" {
			return refuse(reason)
		}
		if count += len(c.words); count > maxClauses {
			return refuse("has more than 16 words")
		}
		s = append(s, c)
	}
	if len(s) == 0 {
		return refuse("has no word")
	}
	return s, nil
}

func parsePhrase(text string) (c clause, rest, reason string) {
	phrase, rest, closed := strings.Cut(text[1:], `"`)
	c.words = slices.Collect(words(phrase))
	switch {
	case !closed:
		reason = `has a " that isn't closed`
	case strings.Contains(phrase, "*"):
		reason = "has a * inside a phrase"
	case len(c.words) == 0:
		reason = "has a phrase without a word"
	case rest != "" && !unicode.IsSpace(firstRune(rest)):
		reason = "has a phrase with no space behind it"
	}
	return c, rest, reason
}

func parseWord(text string) (c clause, rest, reason string) {
	word := text
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		word, rest = text[:i], text[i:]
	}
	switch word {
	case "AND", "OR", "NOT", "NEAR":
		return c, "", "has the operator " + word + ", and there are none"
	}
	plain, prefix := strings.CutSuffix(word, "*")
	for _, r := range plain {
		switch {
		case r == '*':
			return c, "", "has a * that isn't at the end of a word"
		case !inWord(r) && !joins(r) && r != '/':
			return c, "", fmt.Sprintf("has the character %q outside of a phrase", r)
		}
	}
	if strings.HasPrefix(plain, "-") {
		return c, "", "excludes a word, which can't be done"
	}
	c.words = slices.Collect(words(plain))
	if len(c.words) == 0 {
		return c, "", "has no word in " + word
	}
	if prefix {
		c.prefix = true
		reason = c.begin(plain)
	}
	return c, rest, reason
}

// begin makes the last word what a prefix says, the characters at its end that join it to what follows included.
func (c *clause) begin(plain string) (reason string) {
	last := plain[strings.LastIndexByte(plain, '/')+1:]
	from := strings.IndexFunc(last, inWord)
	if from < 0 {
		return "has a prefix without a word"
	}
	c.words[len(c.words)-1] = strings.ToLower(last[from:])
	return ""
}

func firstRune(s string) rune { r, _ := utf8.DecodeRuneInString(s); return r }

// match reports whether all clauses hold in a document.
func (s search) match(data []byte) bool {
	left := slices.Clone(s)
	for text := range texts(data) {
		if len(left) == 0 {
			break
		}
		of := slices.Collect(words(text))
		left = slices.DeleteFunc(left, func(c clause) bool { return c.in(of) })
	}
	return len(left) == 0
}

// in reports whether a clause holds in the words of one value.
func (c clause) in(of []string) bool {
	for i := 0; i+len(c.words) <= len(of); i++ {
		if c.at(of[i:]) {
			return true
		}
	}
	return false
}

func (c clause) at(of []string) bool {
	last := len(c.words) - 1
	for i, w := range c.words[:last] {
		if of[i] != w {
			return false
		}
	}
	return of[last] == c.words[last] || c.prefix && strings.HasPrefix(of[last], c.words[last])
}
