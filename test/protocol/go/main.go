// Checks a log of proofs, and makes one, with implementations that this project did not write:
// golang.org/x/mod/sumdb/tlog and note, and github.com/transparency-dev/formats. Reads a request as JSON from standard
// input and writes the outcome as JSON to standard output.
package main

import (
	"encoding/json"
	"log"
	"os"
)

type request struct {
	Checks []check `json:"checks"`
	Make   plan    `json:"make"`
}

type reply struct {
	// One for each check, in order: empty where it holds.
	Errors []string `json:"errors"`
	Made   *made    `json:"made"`
}

func main() {
	var asked request
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		log.Fatal(err)
	}
	answer := reply{Errors: make([]string, len(asked.Checks))}
	for i, check := range asked.Checks {
		if err := check.run(); err != nil {
			answer.Errors[i] = err.Error()
		}
	}
	var err error
	if answer.Made, err = asked.Make.run(); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		log.Fatal(err)
	}
}
