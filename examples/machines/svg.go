package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Sizes in pixels.
const (
	margin    = 20
	boxHeight = 40
	boxAir    = 22 // between a name and the sides of its box, and between boxes
	letter    = 7  // an average one, of a name or a label
	rowHeight = 28 // of an arrow with its label
	bandAir   = 12 // above the first arrow out of a state
	loop      = 26 // how far an arrow to its own state reaches
	titleRoom = 44
)

// svgHead holds for all drawings of a page. Text has a seam, so that it can be read where a line passes behind it.
const svgHead = `<style>
text { font: 12px system-ui, sans-serif; fill: #1b1f24 }
.title { font-size: 17px; font-weight: 600 }
.name { font-weight: 600; text-anchor: middle }
.limit { font-size: 10px; text-anchor: middle; fill: #57606a }
.label { paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round }
.end { text-anchor: end }
.box { fill: #ddf4ff; stroke: #0969da; stroke-width: 1.5 }
.transitional { fill: #fff8c5; stroke: #9a6700; stroke-dasharray: 4 3 }
.final { fill: #eaeef2; stroke: #57606a; stroke-width: 3 }
.life { stroke: #d0d7de }
.band { stroke: #d0d7de; stroke-dasharray: 1 4 }
.arrow { fill: none; stroke: #1b1f24; stroke-width: 1.4; marker-end: url(#head) }
.back { stroke: #8250df; stroke-dasharray: 6 4 }
.effect { stroke: #8c959f }
.quiet { fill: #57606a }
</style>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 1 L10 5 L0 9 z" fill="context-stroke"/></marker></defs>
`

// printSVG draws the machines below one another, as one image.
func printSVG(out io.Writer, machines []*fsm.Machine) error {
	var drawings strings.Builder
	width, height := 0, 0
	for _, m := range machines {
		c := layOut(m)
		fmt.Fprintf(&drawings, "<g transform=\"translate(0 %d)\">\n%s</g>\n", height, c.draw())
		width, height = max(width, c.width), height+c.height
	}
	_, err := fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">
%s<rect width="%d" height="%d" fill="#fff"/>
%s</svg>
`, width, height, width, height, svgHead, width, height, drawings.String())
	return err
}

// chart is a machine with a place for everything: a column for each state, and below the states a row for each arrow, so that no two
// labels are in the same place.
type chart struct {
	machine       *fsm.Machine
	centre        map[fsm.State]int // of a state's column
	arrows        [][]arrow         // out of each state, in the order of the states
	gutter        int               // what is left of the columns: the states whose arrows are in the rows
	top           int               // of the first row
	width, height int
}

func layOut(m *fsm.Machine) *chart {
	c := &chart{machine: m, centre: map[fsm.State]int{}}
	for _, s := range m.States() {
		c.gutter = max(c.gutter, boxWidth(s))
	}
	c.gutter += 2 * margin
	right := c.gutter
	for _, s := range m.States() {
		c.centre[s] = right + boxWidth(s)/2
		right += boxWidth(s) + boxAir
	}
	c.width = right + loop + margin
	c.top = titleRoom + boxHeight + boxAir
	c.height = c.top
	for _, s := range m.States() {
		arrows := arrowsFrom(m, s)
		c.arrows = append(c.arrows, arrows)
		c.height += bandHeight(arrows)
		for _, a := range arrows {
			c.width = max(c.width, margin+textWidth(a.label())+2*loop)
		}
	}
	c.height += boxHeight + 2*margin
	return c
}

// bandHeight is that of all arrows out of a state, and at least of its box.
func bandHeight(arrows []arrow) int {
	return max(bandAir+rowHeight*len(arrows), boxHeight) + bandAir
}

func textWidth(text string) int { return letter * len([]rune(text)) }
func boxWidth(s fsm.State) int  { return max(textWidth(string(s))+boxAir, 64) }
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

func (c *chart) draw() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<text class=\"title\" x=\"%d\" y=\"28\">%s</text>\n", margin, escape(c.machine.Kind()))
	bottom := c.height - margin - boxHeight
	for _, s := range c.machine.States() {
		fmt.Fprintf(&b, "<line class=\"life\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", c.centre[s], titleRoom, c.centre[s], bottom)
	}
	for _, s := range c.machine.States() {
		c.box(&b, s, c.centre[s], titleRoom)
		c.box(&b, s, c.centre[s], bottom)
	}
	for _, s := range c.machine.Initial() {
		fmt.Fprintf(&b, "<circle cx=\"%d\" cy=\"%d\" r=\"5\"/><path class=\"arrow\" d=\"M%d %d V%d\"/>\n", c.centre[s], titleRoom-26, c.centre[s], titleRoom-21, titleRoom-1)
	}
	y := c.top
	for i, s := range c.machine.States() {
		fmt.Fprintf(&b, "<line class=\"band\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", margin, y, c.width-margin, y)
		c.box(&b, s, c.gutter/2, y+bandAir/2)
		for n, a := range c.arrows[i] {
			c.arrow(&b, a, y+bandAir+rowHeight*n+rowHeight/2)
		}
		y += bandHeight(c.arrows[i])
	}
	return b.String()
}

// box draws a state with its limit, if it has one.
func (c *chart) box(b *strings.Builder, s fsm.State, centre, top int) {
	class, _ := c.machine.Class(s)
	limit := limitOf(c.machine, s)
	width, name := boxWidth(s), top+boxHeight/2+4
	fmt.Fprintf(b, "<rect class=\"box %s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>", class, centre-width/2, top, width, boxHeight)
	if limit != "" {
		name -= 7
		fmt.Fprintf(b, "<text class=\"limit\" x=\"%d\" y=\"%d\">%s</text>", centre, top+boxHeight-7, escape(limit))
	}
	fmt.Fprintf(b, "<text class=\"name\" x=\"%d\" y=\"%d\">%s</text>\n", centre, name, escape(string(s)))
}

// arrow draws an arrow at height y, and its label: above one that leads to another state, beside one that leads to its own.
func (c *chart) arrow(b *strings.Builder, a arrow, y int) {
	line, text := "arrow", "label"
	switch a.way {
	case back:
		line += " back"
	case effect:
		line, text = line+" effect", text+" quiet"
	}
	from, to := c.centre[a.from], c.centre[a.to]
	path, label := fmt.Sprintf("M%d %d H%d", from, y+6, to), y
	left, right := min(from, to)+10, max(from, to)-10
	if from == to {
		path = fmt.Sprintf("M%d %d h%d a5 5 0 0 1 0 10 h-%d", from, y-4, loop-6, loop-7)
		left, right, label = from+loop+6, from-8, y+5
	}
	x := left
	if left+textWidth(a.label()) > c.width-margin {
		x, text = right, text+" end"
	}
	fmt.Fprintf(b, "<path class=\"%s\" d=\"%s\"/><text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n", line, path, text, x, label, escape(a.label()))
}
