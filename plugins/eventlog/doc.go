// Package eventlog is the plugin "eventlog": the events of the journal as operators look at them, by what they are about, what they say and how bad they are,
// page by page, with chains of causes, an archive, exports, and a retention for each type.
//
//	log := eventlog.New(eventlog.Options{})
//	err := manager.Add(log)
//	…
//	page, err := log.List(ctx, eventlog.Query{Tenant: "acme", Type: "*.state.>", Levels: []string{eventlog.Warning, eventlog.Error}})
//
// # The log and the journal
//
// The log has a copy of each recorded event, written in the transaction that moves the plugin's position in the journal (journal.Subscribe) and keyed by the event's number there:
// each event is in it once, whatever is replayed. It is behind the journal by what that subscription hasn't read yet, mostly milliseconds; under full load it waits for callers,
// and catches up later. bus.Flush waits for it. What retention removes from the journal stays in the log, and the other way round.
//
// Read the journal itself (journal.Query; the example server's GET /v1/events) to follow what happens, to resume from a number, and where nothing may be missing, not even for a
// moment. Ask the log for everything that a person asks.
//
// # Filters
//
// Kind, resource, tenant, actor, pattern of types, levels, times, numbers, correlation, text and archive, in any combination ([Query]). Text is looked for in the data, in its strings
// and numbers at any depth: words, all of which must be there, "phrases" within one value, and prefix*. A word is letters and digits and what joins them: web-1, 10.0.0.7, user:42.
// Case doesn't matter. Keys aren't searched, nor times (there is a filter), true, false and null. Fields tagged secret never get into events.
// Anything else than words, phrases and prefixes is a *[QueryError] that says so.
//
// # Pages
//
// Pages go both ways by cursors, which are places, not offsets: what comes meanwhile moves nothing. [Page].Next leads on in the order of the listing, Previous back.
//
// # Bounds
//
// A page takes the same time in a log of ten million events as in one of ten thousand, for a filter that selects nearly everything or nearly nothing. So a search that finds little
// stops after some work (Options.Effort): the page is Partial, has few events or none, says how far it came (ScannedTo), and its cursor goes on from there. A filter is never
// refused for being expensive, and a page without a cursor is the end for sure.
//
// # Levels
//
// info, warning or error, by rules over type and data (Options.Levels, then [DefaultLevels]), decided when the event comes into the log.
//
// # Chains
//
// [Plugin.Chain] returns what one thing led to, by correlation and cause, as trees: by the correlation id or by any event of it. Causes that aren't there any more are named, events that
// name one another as causes don't make it go round, and a long chain comes in parts.
//
// # Archive and retention
//
// [Plugin.Archive] takes events out of listings' way, [Plugin.Export] writes them as CloudEvents, one on a line. Retention has a list of rules for what is archived and one for
// what isn't; the first that fits an event's type says how long after its time it is kept. Both work in small background members with pauses between them, so that
// moves of resources hardly notice.
//
//	"eventlog": {
//		"retention":          [{"type": "usage.>", "keep": "720h"}, {"type": "alert.>"}, {"type": ">", "keep": "8760h"}],
//		"archived_retention": [{"type": ">", "keep": "87600h"}],
//		"levels":             [{"type": "vm.created", "field": "resource.hypervisor", "is": ["xen"], "level": "warning"}]
//	}
//
// # HTTP
//
//	GET  /v1/eventlog?kind=&resource=&tenant=&actor=&type=&level=&since=&until=&first_seq=&last_seq=&correlation=&text=&archived=&order=&after=&before=&limit=
//	GET  /v1/eventlog/export?…                    the same filters, everything, a CloudEvent on each line
//	GET  /v1/eventlog/chains/{correlation}?after=&limit=, /v1/eventlog/chains?event=
//	POST /v1/eventlog/archive, /v1/eventlog/unarchive   {"ids": ["…"]} or {"filter": {"type": "usage.>", "until": "2026-05-01T00:00:00Z"}}; at most 50,000 events, then "more"
//
// level takes several, with commas. archived is false (the default), true or all; order newest (the default) or oldest; since and until are RFC 3339.
package eventlog
