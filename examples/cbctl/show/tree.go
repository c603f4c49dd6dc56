package show

import "strings"

// Tree is a text and what hangs below it.
type Tree struct {
	Text     string // one line, printable, perhaps coloured
	Branches []Tree
}

// Trees draws trees, a line for each of their texts.
func Trees(trees []Tree) string {
	var b strings.Builder
	draw(&b, "", trees)
	return b.String()
}

func draw(b *strings.Builder, indent string, trees []Tree) {
	for i, t := range trees {
		branch, below := "├─ ", "│  "
		if i == len(trees)-1 {
			branch, below = "└─ ", "   "
		}
		b.WriteString(indent + branch + t.Text + "\n")
		draw(b, indent+below, t.Branches)
	}
}
