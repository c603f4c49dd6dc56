package bus

import "context"

type traceKey struct{}

// ContextWithTraceParent gives what is published, appended or fired with the context a trace to carry on, as its header's TraceParent:
// the value of a W3C traceparent header. Inside a handler it takes the place of the one that would be inherited.
// As that standard says, a value that isn't one counts as none at all, and the context stays as it is; one of a later version is taken
// for what this version knows of it.
func ContextWithTraceParent(ctx context.Context, traceParent string) context.Context {
	known, ok := knownTraceParent(traceParent)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, known)
}

// TraceParent returns the trace that something done with ctx carries on, "" if there is none: what ContextWithTraceParent was given, or
// the cause's.
func TraceParent(ctx context.Context) string {
	switch v := ctx.Value(traceKey{}).(type) {
	case string:
		return v
	case caused:
		h, _ := v.header()
		return h.TraceParent
	}
	return ""
}

// Lengths of version 00: version-trace-parent-flags.
const (
	traceEnd       = 2 + 1 + 32
	spanEnd        = traceEnd + 1 + 16
	traceParentLen = spanEnd + 1 + 2
)

// knownTraceParent checks a traceparent (https://www.w3.org/TR/trace-context/#traceparent-header). One of a later version becomes one
// of version 00, with the flag that this one knows.
func knownTraceParent(s string) (string, bool) {
	if len(s) < traceParentLen || s[2] != '-' || s[traceEnd] != '-' || s[spanEnd] != '-' {
		return "", false
	}
	version, trace, span, flags := s[:2], s[3:traceEnd], s[traceEnd+1:spanEnd], s[spanEnd+1:traceParentLen]
	if !isHex(version) || version == "ff" || !isHex(trace) || isZero(trace) || !isHex(span) || isZero(span) || !isHex(flags) {
		return "", false
	}
	if version == "00" {
		return s, len(s) == traceParentLen
	}
	if len(s) > traceParentLen && s[traceParentLen] != '-' {
		return "", false
	}
	sampled := "00"
	if hexDigit(flags[1])&1 != 0 {
		sampled = "01"
	}
	return "00" + s[2:spanEnd+1] + sampled, true
}

// hexDigit is the value of a lower-case hexadecimal digit, 16 of what isn't one.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}

func isHex(s string) bool {
	for i := range len(s) {
		if hexDigit(s[i]) > 15 {
			return false
		}
	}
	return true
}

func isZero(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return true
}
