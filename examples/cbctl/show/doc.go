// Package show writes what the server says for people: tables, lines of events, trees.
//
// Nothing that a server says reaches a terminal as a control character: names and reasons are other people's, and could move the cursor or recolour the screen.
package show
