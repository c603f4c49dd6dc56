// Package client talks to the HTTP API of a Cloudbus server.
//
// What the server says is kept as it says it, as JSON text, so that nothing is lost on the way (a number of 64 bits would be in a float64), and what a
// newer server adds is there; Event and the like are read from it.
//
// A Client may be used by several goroutines at once. It starts none, keeps no state and sends nothing but what it is asked to.
package client
