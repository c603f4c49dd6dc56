// Package transporttest has a [bridge.Transport] in memory for tests, and the suite that each Transport must pass.
//
//	m := transporttest.New()
//	reporter, err := status.NewReporter(m, status.ReporterOptions{Provider: "east"})
//	m.Away(true) // from now on the broker is out of reach
//
// [Memory] can be away, refuse what is too large, deliver twice, lose acknowledgements and die before it acknowledges, when the test says so.
// It holds all that is published in one stream, whatever the names of the inlets are.
package transporttest
