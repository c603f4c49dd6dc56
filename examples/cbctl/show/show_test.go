package show

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
)

func TestNothingReachesATerminalAsAControlCharacter(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "web1 → ü": "web1 → ü", "\x1b[2Jgone": `\x1b[2Jgone`, "a\tb\r\n": `a\tb\r\n`, "\xff\u009b31m": `\xff\u009b31m`, "\u202eevil": `\u202eevil`, "\uFFFD": "\uFFFD",
		`back\slash "quoted"`: `back\slash "quoted"`,
	} {
		if got := Plain(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("a\x1b[2J\xff\u202e")
	f.Fuzz(func(t *testing.T, text string) {
		got := Plain(text)
		if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q: %q", text, got)
		}
		if again := Plain(got); again != got {
			t.Errorf("%q: %q, then %q", text, got, again)
		}
	})
}

func TestTablesAreStraightWithAndWithoutColours(t *testing.T) {
	write := func(ink Ink) string {
		table := NewTable(ink, "ID", "STATE", "N")
		table.Row("web1", Cell{Text: "running", Color: Green}, 7)
		table.Row("ü\n", Cell{Text: "error", Color: Red}, uint64(18446744073709551615))
		table.Row("", "", "")
		var b strings.Builder
		if _, err := table.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	plain := write(Ink{})
	const want = "ID    STATE    N\nweb1  running  7\nü\\n   error    18446744073709551615\n\n"
	if plain != want {
		t.Errorf("%q, want %q", plain, want)
	}
	colored := write(Ink{Colors: true})
	if !strings.Contains(colored, "\x1b[32mrunning\x1b[0m") {
		t.Errorf("%q has no colours", colored)
	}
	for _, code := range []Color{Default, Strong, Dim, Red, Green, Yellow, Cyan} {
		colored = strings.ReplaceAll(colored, "\x1b["+string(code)+"m", "")
	}
	colored = strings.ReplaceAll(colored, "\x1b[0m", "")
	var lines []string
	for _, line := range strings.Split(colored, "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("with colours, and these taken away: %q, want %q", got, want)
	}
}

func TestTimesAreReadAsPeopleWriteThem(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	c := Clock{Zone: berlin, Now: func() time.Time { return now }}
	for text, want := range map[string]string{
		"2026-01-02T03:04:05.5Z": "2026-01-02 04:04:05.500 +0100", "2026-01-02": "2026-01-02 00:00:00.000 +0100", "2026-07-01 10:00": "2026-07-01 10:00:00.000 +0200",
		"2026-07-01T10:00:01": "2026-07-01 10:00:01.000 +0200", "90m": "2026-07-01 12:30:00.000 +0200",
	} {
		got, err := c.Parse(text)
		if err != nil || c.Time(got) != want {
			t.Errorf("%q: %s, %v; want %s", text, c.Time(got), err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "-5m", "2026-13-01", "2026-1-2", "5"} {
		if got, err := c.Parse(text); err == nil || !strings.Contains(err.Error(), "allowed") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if got := (Clock{}).Time(now) + (Clock{}).Second(now) + c.Second(now) + c.Time(time.Time{}) + c.Second(time.Time{}); got != "2026-07-01 12:00:00.000Z2026-07-01 12:00:00Z2026-07-01 14:00:00 +0200" {
		t.Errorf("written: %s", got)
	}
}

func TestEventsAreLines(t *testing.T) {
	for text, want := range map[string]string{
		`{"seq":7,"type":"vm.state.starting","subject":"vm/web1","time":"2026-01-02T03:04:05Z","tenant":"acme","actor":"user:42","data":{"from":"stopped","to":"starting","trigger":"start_requested","reason":"mon\nday"}}`: `     7  2026-01-02 03:04:05.000Z  vm.state.starting           vm/web1           acme by user:42  stopped → starting on start_requested (mon\nday)`,
		`{"type":"tick","time":"2026-01-02T03:04:05Z","data":[1]}`:                                                  `        2026-01-02 03:04:05.000Z  tick`,
		`{"seq":1,"type":"x","kind":"vm","tenant":"acme","time":"2026-01-02T03:04:05Z","data":{"from":7,"to":"x"}}`: `     1  2026-01-02 03:04:05.000Z  x                           vm                acme`,
	} {
		var e client.Event
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		if got := (Ink{}).Event(e); got != want {
			t.Errorf("%s\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestTreesAreDrawn(t *testing.T) {
	got := Trees([]Tree{{"a", []Tree{{"b", []Tree{{"c", nil}}}, {"d", nil}}}, {"e", nil}})
	if want := "├─ a\n│  ├─ b\n│  │  └─ c\n│  └─ d\n└─ e\n"; got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}

func TestFieldsKeepTheirOrderAndNumbers(t *testing.T) {
	fields, err := Fields(json.RawMessage(`{"b":9007199254740993,"a":"2026-01-02T03:04:05Z","c":null,"d":[1, {"x":"y"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range fields {
		got = append(got, f.Name+"="+Ink{}.Text(f.Value))
	}
	if want := `b=9007199254740993 a=2026-01-02 03:04:05.000Z c= d=[1,{"x":"y"}]`; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, bad := range []string{"", "[]", "7", `{"a"`, `{"a":}`} {
		if _, err := Fields(json.RawMessage(bad)); err == nil {
			t.Errorf("%q is taken for an object", bad)
		}
	}
}

func FuzzFields(f *testing.F) {
	f.Add(`{"a":1,"b":{"c":[]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var object map[string]json.RawMessage
		valid := json.Unmarshal([]byte(text), &object) == nil && object != nil
		fields, err := Fields(json.RawMessage(text))
		if valid && err != nil {
			t.Errorf("%q: %v", text, err)
		}
		for _, field := range fields {
			if valid && object[field.Name] == nil {
				t.Errorf("%q has no %q", text, field.Name)
			}
			Ink{}.Text(field.Value)
		}
	})
}
