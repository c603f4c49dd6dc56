// Provider-kubernetes is a provider process: it watches the pods of a cluster and reports them as containers to servers, over NATS.
//
// See README.md for how to run it, and DESIGN.md for what it decides.
package main
