// Package linear tests that the database is linearizable: clients at the same time read and write a few items, by themselves
// and in transactions, and for what they were answered porcupine looks for an order in which it could all have happened one
// after the other. A write that was refused because of a transaction must not have happened at all. When the power is cut what
// was answered before must have happened, and what was under way may have.
//
//	go test ./tests/linear -rounds 1000
package linear
