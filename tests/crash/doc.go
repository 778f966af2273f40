// Package crash tests that the server loses nothing when it is killed: clients work, the process gets a SIGKILL at some moment, and after
// a restart everything that was acknowledged must be there, what was not may be there wholly or not at all, and what was
// under way in the background goes on. This is repeated on one store; in the end it is audited from inside.
//
//	go test ./tests/crash -cycles 200
package crash
