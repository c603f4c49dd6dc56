package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// splitObject returns the members of a JSON object, as they are written, and refuses one that has a member twice. The values are parts of b.
func splitObject(b []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("not valid UTF-8")
	}
	if !json.Valid(b) {
		return nil, errors.New("not valid JSON")
	}
	s := scanner{rest: b}
	if s.space(); s.rest[0] != '{' {
		return nil, errors.New("not a JSON object")
	}
	s.rest = s.rest[1:]
	members := make(map[string]json.RawMessage, 12)
	for s.space(); s.rest[0] != '}'; s.space() {
		name, err := s.name()
		if err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("%.40q is given twice", name)
		}
		members[name] = s.value()
		if s.space(); s.rest[0] == ',' {
			s.rest = s.rest[1:]
		}
	}
	return members, nil
}

// scanner walks over JSON that is known to be valid.
type scanner struct{ rest []byte }

func (s *scanner) space() {
	for len(s.rest) > 0 && strings.IndexByte(" \t\r\n", s.rest[0]) >= 0 {
		s.rest = s.rest[1:]
	}
}

// name takes a member's name and the colon behind it.
func (s *scanner) name() (name string, err error) {
	text := s.take(s.stringEnd(0))
	s.space()
	s.rest = s.rest[1:]
	s.space()
	if inner := text[1 : len(text)-1]; strings.IndexByte(string(inner), '\\') < 0 {
		return string(inner), nil
	}
	err = json.Unmarshal(text, &name)
	return name, err
}

func (s *scanner) value() json.RawMessage {
	switch s.rest[0] {
	case '"':
		return s.take(s.stringEnd(0))
	case '{', '[':
		return s.take(s.nestedEnd())
	}
	end := 0
	for end < len(s.rest) && strings.IndexByte(",}] \t\r\n", s.rest[end]) < 0 {
		end++
	}
	return s.take(end)
}

func (s *scanner) take(n int) []byte {
	taken := s.rest[:n:n]
	s.rest = s.rest[n:]
	return taken
}

// stringEnd is behind the string that begins at from.
func (s *scanner) stringEnd(from int) int {
	for i := from + 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s.rest)
}

// nestedEnd is behind the object or list that begins here.
func (s *scanner) nestedEnd() int {
	depth := 0
	for i := 0; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '"':
			i = s.stringEnd(i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s.rest)
}
