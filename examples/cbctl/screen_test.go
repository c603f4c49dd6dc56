package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
)

// nasty has what could steer a terminal, and JSON takes without an escape.
const nasty = "{\"name\":\"a\u009b2J\u202eb\x7f\U000E0041\u00a0é東\"}"

// TestOnATerminalNothingSteersIt: not even in what is written as the server said it.
func TestOnATerminalNothingSteersIt(t *testing.T) {
	for _, screen := range []bool{true, false} {
		var b bytes.Buffer
		o := &output{bufio.NewWriter(&b), &b, screen}
		if err := errors.Join(o.json(json.RawMessage(nasty)), o.flush()); err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := errors.Join(json.Unmarshal(b.Bytes(), &got), json.Unmarshal([]byte(nasty), &want)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("screen %v: %s is another value, %v", screen, b.Bytes(), err)
		}
		if clean := printable(b.String()); clean != screen {
			t.Errorf("screen %v: %q", screen, b.String())
		}
		b.Reset()
		const text = "tenant,meter\tx\r\na\x1b[31m,b\u009b2J\r\n"
		if err := errors.Join(o.text([]byte(text)), o.flush()); err != nil {
			t.Fatal(err)
		}
		if !screen && b.String() != text || screen && b.String() != "tenant,meter\tx\na\\x1b[31m,b\\u009b2J\n" {
			t.Errorf("screen %v: %q", screen, b.String())
		}
	}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
}

// TestWhatIsSaidAboutAStreamDoesNotSteerATerminalEither: a refusal while it connects again is the server's text.
func TestWhatIsSaidAboutAStreamDoesNotSteerATerminalEither(t *testing.T) {
	var said bytes.Buffer
	a := &app{stderr: &said}
	a.tellInterruption(client.Interruption{Err: &client.Problem{Status: 503, Reason: "back \x1b[2Jsoon\u009b"}, Pause: time.Second})
	a.tellInterruption(client.Interruption{After: "7\x1b]0;x\x07"})
	if !printable(said.String()) || !strings.Contains(said.String(), `\x1b[2Jsoon`) {
		t.Errorf("%q", said.String())
	}
}
