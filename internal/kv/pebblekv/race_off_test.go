//go:build !race

package pebblekv

// raceDetector says whether pools forget what they are given, at random, which the race detector makes them do.
const raceDetector = false
