package client

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll reads messages until the stream ends.
func readAll(r io.Reader) (all []message, err error) {
	messages := newMessageReader(r)
	for {
		m, err := messages.next()
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
}

func TestMessagesAreReadAsTheStandardSays(t *testing.T) {
	for name, test := range map[string]struct {
		stream string
		want   []message
	}{
		"one":                         {"id: 1\nevent: vm.created\ndata: {}\n\n", []message{{"1", "vm.created", "{}"}}},
		"no blank behind the colon":   {"id:1\ndata:{}\n\n", []message{{"1", "", "{}"}}},
		"one blank is taken, no more": {"data:  x \n\n", []message{{"", "", " x "}}},
		"data in lines":               {"data: a\ndata\ndata: b\n\n", []message{{"", "", "a\n\nb"}}},
		"comments":                    {": hello\n\n: still here\ndata: x\n: y\n\n", []message{{"", "", "x"}}},
		"other ends of lines":         {"data: a\r\n\r\ndata: b\r\rdata: c\n\n", []message{{"", "", "a"}, {"", "", "b"}, {"", "", "c"}}},
		"a mark at the beginning":     {"\uFEFFdata: a\n\n", []message{{"", "", "a"}}},
		"the id stays":                {"id: 7\ndata: a\n\ndata: b\n\n", []message{{"7", "", "a"}, {"7", "", "b"}}},
		"an id without data counts":   {"id: 7\n\ndata: b\n\n", []message{{"7", "", "b"}}},
		"an id with a NUL doesn't":    {"id: 7\x00\ndata: b\n\n", []message{{"", "", "b"}}},
		"an event without data":       {"event: x\n\ndata: b\n\n", []message{{"", "", "b"}}},
		"unknown fields":              {"retry: 5\nx: y\ndata: b\n\n", []message{{"", "", "b"}}},
		"broken off in the data":      {"id: 1\ndata: a\n\nid: 2\ndata: {\"se", []message{{"1", "", "a"}}},
		"broken off before the end":   {"id: 1\ndata: a\n\nid: 2\ndata: b\n", []message{{"1", "", "a"}}},
		"nothing":                     {"", nil},
	} {
		for way, r := range map[string]io.Reader{
			"at once": strings.NewReader(test.stream), "byte by byte": iotest.OneByteReader(strings.NewReader(test.stream)),
		} {
			got, err := readAll(r)
			if !slices.Equal(got, test.want) || !errors.Is(err, io.EOF) {
				t.Errorf("%s, %s: %q, %v; want %q", name, way, got, err, test.want)
			}
		}
	}
}

func TestALineWithoutEndIsRefused(t *testing.T) {
	if _, err := readAll(strings.NewReader("data: " + strings.Repeat("x", maxLine))); !errors.Is(err, errLineTooLong) {
		t.Errorf("%v, want %v", err, errLineTooLong)
	}
}

func TestAMessageComesBeforeWhatFollowsIt(t *testing.T) {
	r, w := io.Pipe()
	go func() { _, _ = io.WriteString(w, "data: a\r\r") }() // whether a \n follows isn't waited for
	m, err := newMessageReader(r).next()
	if m.data != "a" || err != nil {
		t.Errorf("%q, %v", m, err)
	}
	_ = r.Close()
}

// FuzzMessages: however a stream is cut up, the same messages come out; what is cut off at its end is a beginning of them; none has a line end in its id or type.
func FuzzMessages(f *testing.F) {
	f.Add("id: 1\nevent: x\ndata: a\n\n", uint(3))
	f.Add("data: a\r\n\rdata\n\r\n: c\n\n", uint(9))
	f.Fuzz(func(t *testing.T, stream string, cut uint) {
		whole, _ := readAll(strings.NewReader(stream))
		bytewise, _ := readAll(iotest.OneByteReader(strings.NewReader(stream)))
		if !slices.Equal(whole, bytewise) {
			t.Errorf("%q byte by byte: %q, at once %q", stream, bytewise, whole)
		}
		part, _ := readAll(strings.NewReader(stream[:int(cut%uint(len(stream)+1))]))
		if len(part) > len(whole) || !slices.Equal(part, whole[:len(part)]) {
			t.Errorf("%q broken off: %q, whole %q", stream, part, whole)
		}
		for _, m := range whole {
			if strings.ContainsAny(m.id+m.event, "\r\n") || strings.Contains(m.id, "\x00") || strings.Contains(m.data, "\r") {
				t.Errorf("%q: %q", stream, m)
			}
		}
	})
}
