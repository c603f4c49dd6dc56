package eventlog

import (
	"encoding/json"
	"iter"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxTerm is how many bytes of a word the index keeps; longer words are compared in the event itself.
const maxTerm = 64

// texts yields the values of a JSON document that are searched: strings and numbers, at any depth. Keys aren't, nor true, false and null, nor times,
// which there is a filter for. What isn't JSON yields what looks like it.
func texts(data []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 0; i < len(data); {
			switch c := data[i]; {
			case c == '"':
				end := stringEnd(data, i)
				if !isKey(data, end) {
					if s := unquote(data[i:end]); !isTime(s) && !yield(s) {
						return
					}
				}
				i = end
			case c == '-' || c >= '0' && c <= '9':
				end := numberEnd(data, i)
				if !yield(string(data[i:end])) {
					return
				}
				i = end
			default:
				i++
			}
		}
	}
}

// stringEnd is the place behind the string that begins at i.
func stringEnd(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

func isKey(data []byte, i int) bool {
	for ; i < len(data); i++ {
		switch data[i] {
		case ' ', '\t', '\r', '\n':
		default:
			return data[i] == ':'
		}
	}
	return false
}

func unquote(quoted []byte) string {
	var s string
	if strings.IndexByte(string(quoted), '\\') >= 0 && json.Unmarshal(quoted, &s) == nil {
		return s
	}
	return strings.Trim(string(quoted), `"`)
}

func numberEnd(data []byte, i int) int {
	for i++; i < len(data) && strings.IndexByte("0123456789+-.eE", data[i]) >= 0; {
		i++
	}
	return i
}

func isTime(s string) bool {
	if len(s) < len("2026-01-02T15:04:05Z") || s[4] != '-' || s[10] != 'T' {
		return false
	}
	_, err := time.Parse(time.RFC3339Nano, s)
	return err == nil
}

// words yields the words of a text, in lower case: letters and digits, and what joins them (web-1, 10.0.0.7, user:42, a_b, a@b).
func words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			from := strings.IndexFunc(text, inWord)
			if from < 0 {
				return
			}
			text = text[from:]
			n := wordLength(text)
			if !yield(strings.ToLower(text[:n])) {
				return
			}
			text = text[n:]
		}
	}
}

// wordLength is that of the word with which text begins.
func wordLength(text string) int {
	end := 0
	for i, r := range text {
		switch {
		case inWord(r):
			end = i + utf8.RuneLen(r)
		case !joins(r):
			return end
		}
	}
	return end
}

func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

func joins(r rune) bool { return r == '-' || r == '_' || r == '.' || r == ':' || r == '@' }

// cut returns what the index keeps of a word.
func cut(word string) string {
	if len(word) <= maxTerm {
		return word
	}
	n := maxTerm
	for !utf8.RuneStart(word[n]) {
		n--
	}
	return word[:n]
}
