// Command bench runs Cloudbus beside what else there is in Go, in one process, and prints how they compare.
//
//	go -C examples/bench run . [-only bus|fsm|resources] [-json] [-check] [-rounds n]
//
// Contenders take turns in random order, several rounds; figures are medians over the rounds, all of them costs (less is better).
package main
