// Package all brings every built-in kind: Register adds the lot to an engine, Machines lists their lifecycles.
package all
