package bridge

import (
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
)

const (
	headerPrefix      = "ce-"
	headerContentType = "content-type"
	dataContentType   = "datacontenttype"
)

// WriteHeader returns the header of a message that carries the CloudEvent with these attributes, as CloudEvents' NATS binding says: ce-<attribute>, values
// percent-encoded where they aren't printable ASCII. The content type of the data is ce-datacontenttype, as the binding has it, and Content-Type, as most tools have it.
// In structured mode there are no attributes, and Content-Type alone is left. ReadHeader is the inverse.
func WriteHeader(contentType string, attributes []Attribute) map[string][]string {
	header := make(map[string][]string, len(attributes)+3) // one more is usual: the message's id
	values := make([]string, 0, len(attributes)+2)
	set := func(name, value string) {
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	if contentType != "" {
		set("Content-Type", contentType)
		if len(attributes) > 0 {
			set(headerPrefix+dataContentType, encodePercent(contentType))
		}
	}
	for _, a := range attributes {
		set(headerPrefix+a.Name, encodePercent(a.Value))
	}
	return header
}

// ReadHeader takes a header apart that follows CloudEvents' NATS binding: the content type, and the attributes by their names in order, without ce- and
// datacontenttype, which is the content type if it is there; other headers are passed over. Names are read in any case, values unquoted and percent-decoded.
//
// It is strict: a header of the event given twice, a name that isn't an attribute's, a value that isn't UTF-8 once decoded, or has a % without two hexadecimal digits
// behind it, and two content types that differ are errors (*DecodeError).
func ReadHeader(header map[string][]string) (contentType string, attributes []Attribute, err error) {
	var ofData string
	for name, values := range header {
		name = strings.ToLower(name)
		attribute, ours := strings.CutPrefix(name, headerPrefix)
		if !ours && name != headerContentType {
			continue
		}
		if !ours {
			attribute = dataContentType
		}
		value, err := headerValue(attribute, values, ours)
		switch {
		case err != nil:
			return "", nil, err
		case !ours && contentType != "" || ours && attribute == dataContentType && ofData != "":
			return "", nil, &DecodeError{Attribute: attribute, Reason: "is given twice"}
		case !ours:
			contentType = value
		case attribute == dataContentType:
			ofData = value
		case attribute == "data" || !attributeName(attribute):
			return "", nil, &DecodeError{Attribute: attributeLabel(attribute), Reason: "is no attribute name (a-z and 0-9)"}
		default:
			attributes = append(attributes, Attribute{attribute, value})
		}
	}
	slices.SortFunc(attributes, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(attributes); i++ {
		if attributes[i].Name == attributes[i-1].Name {
			return "", nil, &DecodeError{Attribute: attributes[i].Name, Reason: "is given twice"}
		}
	}
	switch {
	case ofData == "" || ofData == contentType || isStructured(contentType):
		return contentType, attributes, nil
	case contentType == "":
		return ofData, attributes, nil
	}
	return "", nil, &DecodeError{Attribute: dataContentType, Reason: "must be what Content-Type is, if both are given"}
}

// DecodeLetter reads a CloudEvent as a letter carries it: in structured mode; in binary mode; or, if no header says anything, as JSON that is the whole event.
// It is as strict as Decode and ReadHeader. Errors: *DecodeError.
func DecodeLetter(l Letter) (bus.Event[bus.Raw], error) {
	contentType, attributes, err := ReadHeader(l.Header)
	switch {
	case err != nil:
		return bus.Event[bus.Raw]{}, err
	case len(attributes) == 0 && !isStructured(contentType):
		return Decode(l.Data)
	}
	return DecodeMessage(contentType, attributes, l.Data)
}

// isStructured reports whether all of the event, or of several, is in the data.
func isStructured(contentType string) bool {
	return len(contentType) >= len(structuredMedia) && strings.EqualFold(contentType[:len(structuredMedia)], structuredMedia)
}

// headerValue reads the one value of an attribute's header; that of Content-Type isn't encoded.
func headerValue(attribute string, values []string, encoded bool) (string, error) {
	wrong := func(reason string) (string, error) {
		return "", &DecodeError{Attribute: attributeLabel(attribute), Reason: reason}
	}
	if len(values) != 1 {
		return wrong("must be given once")
	}
	value, ok := unquote(strings.Trim(values[0], " \t"))
	if !ok {
		return wrong("has an opening double quote without a closing one")
	}
	if encoded {
		if value, ok = decodePercent(value); !ok {
			return wrong("has a % without two hexadecimal digits behind it")
		}
	}
	if reason := bus.TextFault(value); reason != "" {
		return wrong(reason)
	}
	return value, nil
}

// unquote takes a value out of double quotes, as older versions of the binding wrote it.
func unquote(s string) (string, bool) {
	if s == "" || s[0] != '"' {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return string(b), i == len(s)-1
		case c == '\\' && i+1 < len(s):
			i++
			b = append(b, s[i])
		default:
			b = append(b, c)
		}
	}
	return "", false
}

// encodePercent writes space, double quote, percent, and what isn't printable ASCII as %XX, byte by byte of UTF-8.
func encodePercent(s string) string {
	odd := 0
	for i := range len(s) {
		if mustEncode(s[i]) {
			odd++
		}
	}
	if odd == 0 {
		return s
	}
	b := make([]byte, 0, len(s)+2*odd)
	for i := range len(s) {
		if c := s[i]; mustEncode(c) {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

func mustEncode(c byte) bool { return c <= ' ' || c == '"' || c == '%' || c >= 0x7f }

// decodePercent is the inverse; it takes more encoded than must be, and digits in either case.
func decodePercent(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
		if high < 0 || low < 0 {
			return "", false
		}
		b = append(b, byte(high<<4|low))
		i += 2
	}
	return string(b), true
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
