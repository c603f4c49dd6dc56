package journal

import "strings"

// statement is what the writer has to know of a query's text before it runs.
type statement struct {
	count   int  // of statements in the text
	ends    bool // one of them begins or ends a transaction; savepoints don't
	changes bool // it is a single INSERT, UPDATE or DELETE
	narrow  bool // it is a single UPDATE or DELETE, which changes nothing if it finds no row
	reads   bool // it is a single SELECT
}

func parseStatement(query string) statement {
	var s statement
	for rest := query; ; {
		var text string
		text, rest = cutStatement(rest)
		word, arguments := cutWord(text)
		switch word {
		case "":
			if rest == "" {
				return s
			}
			continue
		case "INSERT":
			s.changes = s.count == 0
		case "UPDATE", "DELETE":
			s.changes = s.count == 0
			s.narrow = s.changes
		case "SELECT":
			s.reads = s.count == 0
		case "BEGIN", "COMMIT", "END", "START", "ABORT":
			s.ends = true
		case "ROLLBACK":
			s.ends = s.ends || !toSavepoint(arguments)
		case "CREATE":
			if makesTrigger(arguments) { // whose body is statements and an END
				rest = ""
			}
		}
		s.count++
		if s.count > 1 {
			s.changes, s.narrow, s.reads = false, false, false
		}
	}
}

// toSavepoint recognises what follows the ROLLBACK of a savepoint: [TRANSACTION] TO ….
func toSavepoint(arguments string) bool {
	word, rest := cutWord(arguments)
	if word == "TRANSACTION" {
		word, _ = cutWord(rest)
	}
	return word == "TO"
}

// makesTrigger recognises what follows the CREATE of a trigger: [TEMP | TEMPORARY] TRIGGER ….
func makesTrigger(arguments string) bool {
	word, rest := cutWord(arguments)
	if word == "TEMP" || word == "TEMPORARY" {
		word, _ = cutWord(rest)
	}
	return word == "TRIGGER"
}

// cutStatement cuts at the first semicolon outside of literals, quoted names and comments.
func cutStatement(query string) (text, rest string) {
	for i := 0; i < len(query); {
		if query[i] == ';' {
			return query[:i], query[i+1:]
		}
		i += tokenLength(query[i:])
	}
	return query, ""
}

// tokenLength is that of the literal, quoted name or comment that a text begins with, else 1. What isn't closed reaches to the end.
func tokenLength(text string) int {
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

func lengthTo(text string, from int, end string) int {
	if i := strings.Index(text[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(text)
}

// cutWord returns the first word, in upper case, and what follows it. Comments and all that can't begin a word are skipped.
func cutWord(text string) (word, rest string) {
	for text != "" && !inWord(text[0]) {
		text = text[tokenLength(text):]
	}
	end := 0
	for end < len(text) && inWord(text[end]) {
		end++
	}
	return strings.ToUpper(text[:end]), text[end:]
}

func inWord(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
