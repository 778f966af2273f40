//go:build !linux

package main

// releaseProgram does nothing: only Linux is known to map so much of a program that is not needed.
func releaseProgram() error { return nil }
