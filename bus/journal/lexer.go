package journal

import "strings"

// lexer knows what a database takes for a literal, a quoted name, a comment.
type lexer struct {
	length   func(text string, i int) int // of the token at i
	triggers bool                         // the body of a CREATE TRIGGER is statements and an END
}

var lexers = map[string]lexer{
	"sqlite":   {length: sqliteToken, triggers: true},
	"postgres": {length: postgresToken},
}

// cutStatement cuts at the first semicolon outside of literals, quoted names and comments.
func (l lexer) cutStatement(query string) (text, rest string) {
	for i := 0; i < len(query); {
		if query[i] == ';' {
			return query[:i], query[i+1:]
		}
		i += l.length(query, i)
	}
	return query, ""
}

// cutWord returns the first word, in upper case, and what follows it. Comments and all that can't begin a word are skipped.
func (l lexer) cutWord(text string) (word, rest string) {
	from := 0
	for from < len(text) && !inWord(text[from]) {
		from += l.length(text, from)
	}
	end := from
	for end < len(text) && inWord(text[end]) {
		end++
	}
	return strings.ToUpper(text[from:end]), text[end:]
}

func inWord(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

// sqliteToken is the length of the literal, quoted name or comment that begins at i, else 1. What isn't closed reaches to the end.
func sqliteToken(text string, i int) int {
	text = text[i:]
	switch {
	case strings.HasPrefix(text, "--"):
		return lengthTo(text, 2, "\n")
	case strings.HasPrefix(text, "/*"):
		return lengthTo(text, 2, "*/")
	case text[0] == '\'' || text[0] == '"' || text[0] == '`':
		return lengthTo(text, 1, text[:1])
	case text[0] == '[':
		return lengthTo(text, 1, "]")
	}
	return 1
}

// postgresToken is the same for PostgreSQL: comments nest, E'…' has escapes, $tag$…$tag$ is a literal, brackets and backticks are none.
func postgresToken(all string, i int) int {
	text := all[i:]
	switch {
	case strings.HasPrefix(text, "--"):
		return lengthTo(text, 2, "\n")
	case strings.HasPrefix(text, "/*"):
		return commentLength(text)
	case text[0] == '\'' && hasEscapes(all[:i]):
		return escapedLength(text)
	case text[0] == '\'' || text[0] == '"':
		return lengthTo(text, 1, text[:1])
	case text[0] == '$' && (i == 0 || !inName(all[i-1])):
		if tag := dollarTag(text); tag != "" {
			return lengthTo(text, len(tag), tag)
		}
	}
	return 1
}

func lengthTo(text string, from int, end string) int {
	if i := strings.Index(text[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(text)
}

func commentLength(text string) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			i++
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// hasEscapes: the quote that follows is that of an E'…'.
func hasEscapes(before string) bool {
	n := len(before)
	return n > 0 && before[n-1]|0x20 == 'e' && (n == 1 || !inName(before[n-2]))
}

func escapedLength(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '\'':
			return i + 1
		}
	}
	return len(text)
}

// dollarTag is the $tag$ that a text begins with.
func dollarTag(text string) string {
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$':
			return text[:i+1]
		case !inName(c) || i == 1 && c >= '0' && c <= '9':
			return ""
		}
	}
	return ""
}

func inName(c byte) bool { return inWord(c) || c >= '0' && c <= '9' || c >= 0x80 || c == '$' }
