// Package conformance tests a server for the behaviour of Amazon DynamoDB, from outside: through the AWS SDK for Go, and by
// signed requests written out in data files. It has only tests.
//
//	go test ./...                                        against a server that it starts itself
//	go test ./... -endpoint http://localhost:8000        against that server
//	go test ./... -aws                                   against DynamoDB itself, with the account and region of the environment
//
// Every test makes the tables it needs, under names of their own, and runs beside the others; the tables are deleted at its
// end. What only holds for a server that is not the service (any region at any time, a table that is ready at once) is not
// tested here.
//
// # Data files
//
// testdata/scripts holds requests and the answers to them; script_test.go describes the form. The other files of testdata hold
// one expression, number or key condition a line with what becomes of it.
//
// Texts of errors are those of the older of the service's two validation layers, which it replaces region by region: in a
// region that has the newer one, -aws shows the differences as failures.
package conformance
