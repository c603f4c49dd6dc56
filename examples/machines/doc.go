// Command machines prints the state machines of the built-in kinds: for people as a table or a drawing, for programs as CSV.
package main
