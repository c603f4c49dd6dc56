// Package usage is the plugin "usage": a ledger of what ran, for how long, at what size and for whom, from which bills are made.
//
//	ledger := usage.New(usage.Options{})
//	err := manager.Add(ledger)
//	…
//	report, err := ledger.Report(ctx, usage.Query{From: may, To: june, Tenant: "acme"})
//
// # The ledger
//
// A [Meter] runs while a resource is in certain steady states. In a transitional state the meters of its origin run on if an edge leads back there (a VM that is stopping, and may
// fail to, is billed as running), and none otherwise (expunging). So what runs is a function of state and origin alone; each change of a resource opens and closes intervals
// until the ledger agrees with it, and no start is without a stop. A change of size or tenant closes an interval and opens the next at the same instant.
//
// # Exactly once
//
// Intervals are written in the transaction that moves the plugin's position in the journal (journal.Subscribe), and an interval's identity is the number of the event that opened it:
// a replay of the journal, from any place, alters nothing.
//
// # Time
//
// All times are the events' own, in integer nanoseconds. A change that claims to be older than the interval it ends ends it where it began.
//
// # Reports
//
// [Plugin.Report] clips intervals to the window [From, To) and sums them up by tenant, kind, meter, size and resource, exactly ([Amount]). An interval that is still open counts until the
// window's end, or now if that is earlier. GET /v1/usage gives the same as JSON or CSV.
//
// [Query.Bucket] cuts the window into hours, days or months by the clock of a time zone. Each bucket says what a report on it alone says, and all together what one on the whole window
// does, to the nanosecond. Days last 23 or 25 hours where clocks are put forward or back. A program for machines without a database of time zones imports time/tzdata.
//
// # Corrections
//
// What was metered is never edited. [Plugin.Correct] enters a [Correction] beside it, with a reason and who says so, and only another one reverses it. Reports show both, and the total.
//
// # Reconciliation
//
// [Plugin.Reconcile] compares the ledger with live resources and with what the journal still holds, and says what differs. It alters nothing. What the ledger hasn't read yet is pending,
// not a fault.
//
// # Events
//
// usage.<meter>.opened and usage.<meter>.closed ([Metered]) are recorded with the interval, usage.<meter>.corrected ([Corrected]) with the correction, in the same transaction.
package usage
