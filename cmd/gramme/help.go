package main

import (
	"fmt"
	"io"
)

// help prints what gramme is and does.
func help(w io.Writer) {
	fmt.Fprint(w, "Gramme, a database that speaks Amazon DynamoDB's API.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  gramme %-10s %s\n", c.name, c.says)
	}
	fmt.Fprintf(w, "  gramme %-10s %s\n", "help", "print this, or what a command takes: gramme help serve")
}

// helpFor prints the help of a command.
func helpFor(args []string, std stdio) error {
	if len(args) == 0 || args[0] == "help" {
		help(std.out)
		return nil
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		fmt.Fprintf(std.out, "gramme %s: %s\n", c.name, c.says)
		if c.help != nil {
			c.help(std.out)
		}
		return nil
	}
	return fmt.Errorf("there is no command %q; %w", args[0], errUsage)
}
