// Package examples holds whole programs, one folder each: quickstart is the smallest, server the fullest.
package examples
