package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestIsLocal(t *testing.T) {
	for line, want := range map[string]bool{
		"":                                      false,
		"serve":                                 false,
		"serve -memory":                         false,
		"help":                                  false,
		"-h":                                    false,
		"-help":                                 false,
		"-version":                              false,
		"--help":                                false,
		"--version":                             false,
		"-port 8000":                            true,
		"-inMemory -sharedDb":                   true,
		"-jar DynamoDBLocal.jar -inMemory":      true,
		"-Djava.library.path=./x -jar y.jar":    true,
		"java -Xmx1g -jar DynamoDBLocal.jar -x": true,
	} {
		if got := isLocal(strings.Fields(line)); got != want {
			t.Errorf("isLocal(%q) = %v, want %v", line, got, want)
		}
	}
}

func TestReadLocal(t *testing.T) {
	for line, want := range map[string]local{
		"-port 9000":                       {port: 9000},
		"-inMemory -sharedDb":              {port: 8000, inMemory: true, sharedDB: true},
		"-jar DynamoDBLocal.jar -inMemory": {port: 8000, inMemory: true},
		"java -Xmx1g -Djava.library.path=./DynamoDBLocal_lib -jar DynamoDBLocal.jar -dbPath ./data -port 8001": {port: 8001, dbPath: "./data"},
		"-jar DynamoDBLocal.jar":                   {port: 8000},
		"-cors a,b -delayTransientStatuses":        {port: 8000, cors: "a,b", delay: true},
		"-dbPath . -optimizeDbBeforeStartup":       {port: 8000, dbPath: ".", optimize: true},
		"-inMemory -disableTelemetry":              {port: 8000, inMemory: true},
		"-sharedDb -inMemory -port 1 -cors * -jar": {},
	} {
		got, err := readLocal(strings.Fields(line))
		if want == (local{}) {
			if err == nil {
				t.Errorf("%s: no error", line)
			}
			continue
		}
		if err != nil || *got != want {
			t.Errorf("%s: %+v, %v; want %+v", line, got, err, want)
		}
	}
}

func TestServeLocal(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, tt := range []struct {
		args  []string
		lines string
		dir   string // that holds the data
	}{
		{[]string{"-port", "0", "-inMemory", "-sharedDb"},
			"Port:\t0\nInMemory:\ttrue\nDbPath:\tnull\nSharedDb:\ttrue\nshouldDelayTransientStatuses:\tfalse\nCorsParams:\tnull\n\n", ""},
		{[]string{"-jar", "DynamoDBLocal.jar", "-port", "0", "-dbPath", "db", "-cors", "*", "-delayTransientStatuses"},
			"Port:\t0\nInMemory:\tfalse\nDbPath:\tdb\nSharedDb:\tfalse\nshouldDelayTransientStatuses:\ttrue\nCorsParams:\t*\n\n", "db/gramme-data"},
	} {
		p := start(t, false, tt.args...)
		want := "Initializing DynamoDB Local with the following configuration:\n" + tt.lines
		var got string
		for range strings.Count(want, "\n") {
			got += p.line(t) + "\n"
		}
		if got != want {
			t.Errorf("it printed\n%s\nwant\n%s", got, want)
		}
		url := strings.TrimPrefix(p.line(t), "gramme: ready on ")
		if status, body := call(t, strings.Replace(url, "0.0.0.0", "localhost", 1), "anything"); status != 200 {
			t.Errorf("ListTables: %d %s", status, body)
		}
		p.end(t)
		if _, err := os.Stat(tt.dir); tt.dir != "" && err != nil {
			t.Error(err)
		}
	}
	if entries, _ := os.ReadDir("."); fmt.Sprint(len(entries)) != "1" {
		t.Errorf("it left %v", entries)
	}
}
