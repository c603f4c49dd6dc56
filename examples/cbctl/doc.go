// Command cbctl shows and steers a Cloudbus server (examples/server) from a terminal, over its HTTP API. README.md has examples.
//
// What is asked for goes to standard output, in the form that -o names; what is said about it (that a stream has lost its connection, how far a long list is) to standard
// error. With -o json every entry is one line, exactly as the server said it.
//
// Exit codes:
//
//	0    done; also when the reader of a pipe has had enough, and when Ctrl-C ends a tail
//	1    the server said no, or what was waited for didn't come
//	2    wrong flags or arguments
//	3    the server can't be reached, or what answers is no such server
//	130  Ctrl-C
package main
