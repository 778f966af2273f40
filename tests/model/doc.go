// Package model tests the whole data plane with random operations: everything that is done to a database is done to a simple
// model of maps too, and every answer is compared.
//
//	go test ./tests/model                          a few seeds
//	go test ./tests/model -run Sequential -seeds 500 -ops 400
//	go test ./tests/model -run Sequential -seed 77  one seed
//	go test ./tests/model -run Replay -replay FILE  a list of operations, one JSON object a line
//
// When an answer differs the list of operations is shrunk and printed. Lists in testdata are run every time.
//
// The model evaluates only the forms of expressions that the generator emits, in the most obvious way. Two things it takes from
// the database: the order of what has no order that a client could know (partitions among each other, index entries with equal
// keys), which package keys defines, and the conversion of values.
package model
