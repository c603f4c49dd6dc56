// Command sortjson writes the JSON value on standard input with its keys sorted, for comparison.
package main

import (
	"encoding/json"
	"log"
	"os"
)

func main() {
	var v any
	if err := json.NewDecoder(os.Stdin).Decode(&v); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		log.Fatal(err)
	}
}
