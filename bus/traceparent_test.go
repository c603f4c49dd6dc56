package bus_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cloudbus-go/cloudbus/bus"
)

const (
	traceA = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	traceB = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
)

func TestTraceParentThatIsNoneIsIgnored(t *testing.T) {
	cut := func(n int) string { return traceA[:n] }
	for _, c := range []struct{ name, in, want string }{
		{"version 00, sampled", traceA, traceA},
		{"version 00, not sampled", traceB, traceB},
		{"flags of a later revision", cut(53) + "ff", cut(53) + "ff"},
		{"a later version", "cc" + traceA[2:], traceA},
		{"a later version with more", "cc" + traceA[2:] + "-what-comes", traceA},
		{"a later version, flags that aren't known", "01" + traceA[2:53] + "fe", cut(53) + "00"},
		{"a later version, more without a dash", "cc" + traceA[2:] + "x", ""},
		{"empty", "", ""},
		{"cut", cut(54), ""},
		{"version 00 with more", traceA + "-x", ""},
		{"version ff", "ff" + traceA[2:], ""},
		{"upper case", strings.ToUpper(traceA), ""},
		{"trace zero", "00-" + strings.Repeat("0", 32) + traceA[35:], ""},
		{"span zero", cut(36) + strings.Repeat("0", 16) + "-01", ""},
		{"no dash after the version", "00_" + traceA[3:], ""},
		{"no dash after the trace", cut(35) + "_" + traceA[36:], ""},
		{"no dash after the span", cut(52) + "_01", ""},
		{"trace not hexadecimal", "00-g" + traceA[4:], ""},
		{"span not hexadecimal", cut(36) + "g" + traceA[37:], ""},
		{"flags not hexadecimal", cut(53) + "0g", ""},
		{"version not hexadecimal", "0x" + traceA[2:], ""},
		{"line break", cut(53) + "\r\n", ""},
	} {
		if got := bus.TraceParent(bus.ContextWithTraceParent(t.Context(), c.in)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		beside := bus.ContextWithTraceParent(t.Context(), traceB)
		want := c.want
		if want == "" {
			want = traceB
		}
		if got := bus.TraceParent(bus.ContextWithTraceParent(beside, c.in)); got != want {
			t.Errorf("%s, inside of another: %q, want %q", c.name, got, want)
		}
	}
}

func TestTraceParentOfContexts(t *testing.T) {
	plain := t.Context()
	traced := bus.Header{ID: bus.ID{1}, Type: "a.b", TraceParent: traceA}
	untraced := bus.Header{ID: bus.ID{2}, Type: "a.b"}
	own := func(ctx context.Context) context.Context { return bus.ContextWithTraceParent(ctx, traceB) }
	for _, c := range []struct {
		name string
		ctx  context.Context
		want string
	}{
		{"plain", plain, ""},
		{"given", own(plain), traceB},
		{"the cause's", bus.ContextWithCause(plain, traced), traceA},
		{"given inside of a cause", own(bus.ContextWithCause(plain, traced)), traceB},
		{"a cause inside of one given", bus.ContextWithCause(own(plain), traced), traceA},
		{"a cause without, inside of one given", bus.ContextWithCause(own(plain), untraced), traceB},
		{"a cause without", bus.ContextWithCause(plain, untraced), ""},
	} {
		if got := bus.TraceParent(c.ctx); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestEventsCarryTheTraceOfTheirContext(t *testing.T) {
	inBubble(t, func(w *world) {
		var got []bus.Header
		w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			got = append(got, e.Header)
			if len(got) == 1 {
				return bus.Publish(ctx, w.c, manyNoted(1)[0])
			}
			if len(got) == 2 {
				return bus.Publish(bus.ContextWithTraceParent(ctx, traceB), w.c, manyNoted(1)[0])
			}
			return nil
		})
		if err := bus.Publish(bus.ContextWithTraceParent(t.Context(), traceA), w.c, manyNoted(1)[0]); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // until what handlers publish is handled too
		if len(got) != 3 || got[0].TraceParent != traceA || got[1].TraceParent != traceA || got[2].TraceParent != traceB {
			t.Fatalf("headers %+v", got)
		}
		if got[0].CorrelationID != "" || got[0].CausationID != "" {
			t.Errorf("a trace is no correlation: %+v", got[0])
		}
		if got[1].CausationID != got[0].ID.String() || got[2].CausationID != got[1].ID.String() {
			t.Errorf("causes: %+v", got)
		}
	})
}

func FuzzTraceParent(f *testing.F) {
	for _, s := range []string{"", traceA, traceB, "cc" + traceA[2:] + "-x", "ff" + traceA[2:]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := bus.TraceParent(bus.ContextWithTraceParent(t.Context(), s))
		if got == "" {
			return
		}
		if len(got) != 55 || !strings.HasPrefix(got, "00-") || got[:53][3:] != s[:53][3:] {
			t.Fatalf("%q of %q", got, s)
		}
		if again := bus.TraceParent(bus.ContextWithTraceParent(t.Context(), got)); again != got {
			t.Fatalf("%q becomes %q", got, again)
		}
	})
}
