package eventlog

import "iter"

// Index returns the rows that the index must have of events, as term, block and bits, in order.
func Index(events []*Event) (rows []struct {
	Term        string
	Block, Bits int64
}) {
	for _, p := range postings(events) {
		rows = append(rows, struct {
			Term        string
			Block, Bits int64
		}{p.term, p.block, int64(p.bits)})
	}
	return rows
}

// Texts, Words and Matches are what searches are made of.
func Texts(data []byte) iter.Seq[string] { return texts(data) }

func Words(text string) iter.Seq[string] { return words(text) }

func Matches(text, data string) (bool, error) {
	s, err := parseText(text)
	return err == nil && s.match([]byte(data)), err
}

// Clauses returns the words of a search, those of a phrase joined by spaces, a prefix with its *.
func Clauses(text string) (all []string, err error) {
	s, err := parseText(text)
	for _, c := range s {
		all = append(all, c.String())
	}
	return all, err
}

func (c clause) String() string {
	text := ""
	for i, w := range c.words {
		if i > 0 {
			text += " "
		}
		text += w
	}
	if c.prefix {
		text += "*"
	}
	return text
}
