package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version prints what this binary was built from.
func version(_ context.Context, args []string, std stdio) error {
	if len(args) > 0 {
		return fmt.Errorf("version takes no arguments; %w", errUsage)
	}
	fmt.Fprintf(std.out, "gramme %s %s/%s %s\n", release(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	return nil
}

// release returns the version as Go has recorded it, with the commit where there is no tag.
func release() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
