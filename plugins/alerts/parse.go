package alerts

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"go.yaml.in/yaml/v4"
)

// maxText is how long rules may be, in bytes.
const maxText = 1 << 20

// ParseRules reads rules from YAML (or JSON, which is YAML too), a list of them below the key rules, each with the JSON names of Rule's fields:
//
//	rules:
//	  - name: cpu
//	    type: capacity
//	    used: {kind: vm, field: cpus, states: [running, paused]}
//	    total: {kind: host, field: cpus, states: [up]}
//	    raise_percent: 75
//	    renotify: 4h
//
// Kinds, fields, states and triggers are looked up in the kinds given (see Kinds), or in the built-in ones if none is. The error is a *RulesError that lists all faults, each with the
// line, the rule and what is allowed. Durations have units; percentages are whole numbers, with or without the sign.
func ParseRules(text []byte, kinds ...*resources.Info) ([]Rule, error) {
	if len(kinds) == 0 {
		var err error
		if kinds, err = builtIn(); err != nil {
			return nil, err
		}
	}
	if len(text) > maxText {
		return nil, &RulesError{[]Fault{{Reason: fmt.Sprintf("%d bytes are too many: at most %d are allowed", len(text), maxText)}}}
	}
	p := &parser{checker: checker{world: worldOf(kinds)}}
	rules := p.document(text)
	p.check(slices.Clone(rules)) // those that could be read; Init completes them
	slices.SortStableFunc(p.faults, func(a, b Fault) int { return a.Line - b.Line })
	if err := p.err(); err != nil {
		return nil, err
	}
	return rules, nil
}

// parser turns YAML into rules. It goes by the nodes, which know their lines.
type parser struct {
	checker
	rule *Rule // at hand
}

func (p *parser) wrong(n *yaml.Node, field, reason string, allowed ...string) {
	f := Fault{Field: field, Reason: reason, Allowed: allowed}
	if n != nil {
		f.Line = n.Line
	}
	if p.rule != nil {
		f.Rule = p.rule.Name
	}
	p.faults = append(p.faults, f)
}

var lineInError = regexp.MustCompile(`line (\d+)`)

// parse reads the one document of the text.
func parse(text []byte) (n *yaml.Node, err error) {
	defer func() {
		if v := recover(); v != nil { // a library that reads what strangers wrote is not trusted with the process
			err = fmt.Errorf("can't be read: %v", v)
		}
	}()
	var docs []*yaml.Node
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	for {
		var doc yaml.Node
		if err := d.Decode(&doc); err != nil {
			if errors.Is(err, io.EOF) {
				break
			}
			return nil, err
		}
		docs = append(docs, &doc)
		if len(docs) > 1 {
			return nil, fmt.Errorf("line %d: a second document begins; one is allowed", doc.Line)
		}
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 {
		return nil, errors.New("there is nothing")
	}
	return docs[0].Content[0], nil
}

func (p *parser) document(text []byte) []Rule {
	top, err := parse(text)
	if err != nil {
		f := Fault{Reason: "is no YAML: " + err.Error(), Field: "the text"}
		if m := lineInError.FindStringSubmatch(err.Error()); m != nil {
			f.Line, _ = strconv.Atoi(m[1])
		}
		p.faults = append(p.faults, f)
		return nil
	}
	if top.Kind != yaml.MappingNode {
		p.wrong(top, "the text", "is "+nounOf(top)+", not a mapping with the key rules")
		return nil
	}
	var list *yaml.Node
	p.entries(top, "", []string{"rules"}, func(_ string, _, value *yaml.Node) { list = value })
	switch {
	case list == nil:
		if len(p.faults) == 0 {
			p.wrong(top, "rules", "is missing")
		}
		return nil
	case list.Kind != yaml.SequenceNode:
		p.wrong(list, "rules", "is "+nounOf(list)+", not a list")
		return nil
	}
	rules := make([]Rule, 0, len(list.Content))
	for _, n := range list.Content {
		if r, ok := p.one(n); ok {
			rules = append(rules, r)
		}
	}
	return rules
}

// one reads a rule. Its name comes first, wherever it stands, since faults tell it.
func (p *parser) one(n *yaml.Node) (Rule, bool) {
	r := Rule{lines: map[string]int{"": n.Line}}
	p.rule = &r
	defer func() { p.rule = nil }()
	if n.Kind != yaml.MappingNode {
		p.wrong(n, "", "a rule is "+nounOf(n)+", not a mapping with name and type")
		return r, false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key, value := n.Content[i], n.Content[i+1]; key.Value == "name" && value.Kind == yaml.ScalarNode && value.Tag == "!!str" {
			r.Name = value.Value
		}
	}
	faults := len(p.faults)
	p.structure(n, "", reflect.ValueOf(&r).Elem())
	return r, len(p.faults) == faults
}

// structure reads a mapping into a struct by its JSON names.
func (p *parser) structure(n *yaml.Node, path string, into reflect.Value) {
	fields := make(map[string]reflect.Value)
	var known []string
	for i := range into.NumField() {
		if key := jsonKey(into.Type().Field(i)); key != "" {
			fields[key] = into.Field(i)
			known = append(known, key)
		}
	}
	slices.Sort(known)
	p.entries(n, path, known, func(key string, k, value *yaml.Node) {
		p.rule.lines[join(path, key)] = k.Line
		p.value(value, join(path, key), fields[key])
	})
}

// entries calls visit for each known key of a mapping.
func (p *parser) entries(n *yaml.Node, path string, known []string, visit func(key string, k, value *yaml.Node)) {
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		switch {
		case key.Kind != yaml.ScalarNode || key.Anchor != "":
			p.wrong(key, path, "has "+nounOf(key)+" as a key", known...)
		case !slices.Contains(known, name):
			p.wrong(key, join(path, strconv.Quote(name)), "is unknown", known...)
		case seen[name]:
			p.wrong(key, join(path, name), "is given twice")
		default:
			visit(name, key, value)
		}
		seen[name] = true
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

var durationType = reflect.TypeFor[plugins.Duration]()

// value reads a node into a field of whatever type rules have.
func (p *parser) value(n *yaml.Node, path string, into reflect.Value) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		p.wrong(n, path, "is an alias or has an anchor; write it out")
		return
	}
	t := into.Type()
	switch {
	case t == durationType:
		p.duration(n, path, into)
	case t.Kind() == reflect.Pointer:
		if n.Kind != yaml.MappingNode {
			p.wrong(n, path, "is "+nounOf(n)+", not a mapping")
			return
		}
		into.Set(reflect.New(t.Elem()))
		p.structure(n, path, into.Elem())
	case t.Kind() == reflect.Slice:
		p.list(n, path, into)
	case t.Kind() == reflect.String:
		if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
			p.wrong(n, path, "is "+nounOf(n)+", not a text")
			return
		}
		into.SetString(n.Value)
	case t.Kind() == reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			p.wrong(n, path, "is "+nounOf(n), "true", "false")
			return
		}
		into.SetBool(strings.EqualFold(n.Value, "true"))
	default:
		p.number(n, path, into)
	}
}

func (p *parser) list(n *yaml.Node, path string, into reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		p.wrong(n, path, "is "+nounOf(n)+", not a list")
		return
	}
	if len(n.Content) == 0 {
		p.wrong(n, path, "is an empty list; leave it out")
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		p.value(item, fmt.Sprintf("%s[%d]", path, i), into.Index(i))
	}
}

func (p *parser) duration(n *yaml.Node, path string, into reflect.Value) {
	const want = `such as "30s", "5m" or "1h30m"`
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		p.wrong(n, path, "is "+nounOf(n)+", not a duration with its unit "+want)
		return
	}
	d, err := time.ParseDuration(n.Value)
	if err != nil {
		p.wrong(n, path, fmt.Sprintf("is %.100q, not a duration with its unit %s", n.Value, want), "ns", "us", "ms", "s", "m", "h")
		return
	}
	into.SetInt(int64(d))
}

// number reads a whole number; of a percentage the sign may be written.
func (p *parser) number(n *yaml.Node, path string, into reflect.Value) {
	text, want := n.Value, "a whole number"
	if strings.HasSuffix(path, "_percent") {
		want = "a whole number of percent"
		if rest, cut := strings.CutSuffix(text, "%"); cut {
			text = strings.TrimRight(rest, " ")
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!str" || n.Tag == "!!str" && text == n.Value || err != nil {
		p.wrong(n, path, "is "+nounOf(n)+", not "+want)
		return
	}
	into.SetInt(v)
}

// nounOf says what a node is.
func nounOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if n.Tag == "!!null" {
		return "empty"
	}
	return fmt.Sprintf("%.100q", n.Value)
}
