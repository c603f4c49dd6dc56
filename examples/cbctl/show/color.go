package show

// Color is one of a terminal's.
type Color string

// The colours that are used. All of their codes are as long as one another: text/tabwriter counts them, so a column stays straight only if each of its cells has one.
const (
	Default Color = "39"
	Strong  Color = "01"
	Dim     Color = "02"
	Red     Color = "31"
	Green   Color = "32"
	Yellow  Color = "33"
	Cyan    Color = "36"
)

// Ink says how what is shown looks. The zero value is without colours, in UTC.
type Ink struct {
	Colors bool
	Clock  Clock
}

// In returns a printable text in a colour.
func (i Ink) In(c Color, text string) string {
	if text = Plain(text); !i.Colors {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}
