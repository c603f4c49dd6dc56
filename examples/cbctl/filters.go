package main

import (
	"net/url"
	"time"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// filters are flags that become parameters of a request, if they are given.
type filters struct {
	flags  *pflag.FlagSet
	params map[string]string // by flag
	times  map[string]bool   // flags
}

func filtersOf(cmd *cobra.Command) *filters {
	return &filters{flags: cmd.Flags(), params: make(map[string]string), times: make(map[string]bool)}
}

// text adds a flag for the parameter of the same name.
func (f *filters) text(flag, usage string) *filters { return f.textAs(flag, flag, usage) }

// textAs adds a flag for a parameter.
func (f *filters) textAs(flag, param, usage string) *filters {
	f.flags.String(flag, "", usage)
	f.params[flag] = param
	return f
}

// time adds a flag whose value is a time.
func (f *filters) time(flag, usage string) *filters {
	f.times[flag] = true
	return f.text(flag, usage+": RFC 3339, 2026-01-02, or how long ago: 90m")
}

// query returns the parameters of what is given. Error: a time that is none.
func (f *filters) query(clock show.Clock) (url.Values, error) {
	query := url.Values{}
	var err error
	f.flags.Visit(func(flag *pflag.Flag) {
		param, is := f.params[flag.Name]
		if !is || err != nil {
			return
		}
		value := flag.Value.String()
		if f.times[flag.Name] {
			t, err2 := clock.Parse(value)
			if err2 != nil {
				err = badUsage("--%s: %v", flag.Name, err2)
				return
			}
			value = t.UTC().Format(time.RFC3339Nano)
		}
		query.Set(param, value)
	})
	return query, err
}
