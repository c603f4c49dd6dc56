package journal

// statement is what the writer has to know of a query's text before it runs.
type statement struct {
	count   int  // of statements in the text
	ends    bool // one of them begins or ends a transaction; savepoints don't
	changes bool // it is a single INSERT, UPDATE or DELETE
	narrow  bool // it is a single UPDATE or DELETE, which changes nothing if it finds no row
	reads   bool // it is a single SELECT
	back    bool // it is a single ROLLBACK TO of a savepoint
}

func parseStatement(query string, l lexer) statement {
	var s statement
	for rest := query; ; {
		var text string
		text, rest = l.cutStatement(rest)
		word, arguments := l.cutWord(text)
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
			s.back = s.count == 0 && l.toSavepoint(arguments)
			s.ends = s.ends || !l.toSavepoint(arguments)
		case "CREATE":
			if l.triggers && l.makesTrigger(arguments) { // whose body is statements and an END
				rest = ""
			}
		}
		s.count++
		if s.count > 1 {
			s.changes, s.narrow, s.reads, s.back = false, false, false, false
		}
	}
}

// toSavepoint recognises what follows the ROLLBACK of a savepoint: [TRANSACTION] TO ….
func (l lexer) toSavepoint(arguments string) bool {
	word, rest := l.cutWord(arguments)
	if word == "TRANSACTION" {
		word, _ = l.cutWord(rest)
	}
	return word == "TO"
}

// makesTrigger recognises what follows the CREATE of a trigger: [TEMP | TEMPORARY] TRIGGER ….
func (l lexer) makesTrigger(arguments string) bool {
	word, rest := l.cutWord(arguments)
	if word == "TEMP" || word == "TEMPORARY" {
		word, _ = l.cutWord(rest)
	}
	return word == "TRIGGER"
}
