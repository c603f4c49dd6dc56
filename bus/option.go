package bus

import (
	"context"
	"time"
)

// Option configures a subscription.
type Option func(*settings)
type settings struct{}

// Filters. All that are given must hold. A header field that is missing never matches.
func Type(pattern string) Option           { panic("unwritten") } // several: any of them
func Tenant(tenant string) Option          { panic("unwritten") }
func Resource(kind, id string) Option      { panic("unwritten") }
func Where(match func(Header) bool) Option { panic("unwritten") }

// Name names the subscription in logs and inspection. Defaults to the client's name and a number.
func Name(name string) Option { panic("unwritten") }

// Overflow policies.
type Policy struct{}

var (
	DropOldest Policy
	DropNewest Policy
	Coalesce   Policy
)

func Block(atMost time.Duration) Policy { panic("unwritten") }

func Queue(capacity int, p Policy) Option                { panic("unwritten") }
func Lanes(n int) Option                                 { panic("unwritten") }
func Durable(name string) Option                         { panic("unwritten") }
func From[P int | uint64 | time.Time](position P) Option { panic("unwritten") } // after this number; or recorded at or after this time
func Retry(tries int, backoff time.Duration) Option      { panic("unwritten") } // Defaults: live 1 try; durable 8 tries, doubling from 100 ms, at most 30 s
func OnFailure(f FailureAction) Option                   { panic("unwritten") }

type FailureAction int

const (
	Skip FailureAction = iota + 1 // live only, its default: counted and logged, the next event comes
	Halt                          // the subscription stops with Err; durable: the cursor stays before the culprit. Default of durable ones until parking exists
)

type Gap struct {
	Count             uint64
	FirstSeq, LastSeq uint64 // of dropped recorded events; 0 if only live ones were dropped
	Since             time.Time
}

func OnGap(fn func(context.Context, Gap)) Option { panic("unwritten") }
