// Command gen writes the Go structs of a service's inputs and outputs, with their constraints as struct tags, from the
// service model that botocore ships:
//
//	go run ./internal/api/gen -botocore <dir of the botocore package>
//
// The build never needs it: what it writes is part of the source.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
)

var services = []struct{ model, pkg, title string }{
	{"dynamodb", "ddb", "Amazon DynamoDB"},
	{"dynamodbstreams", "ddbstreams", "Amazon DynamoDB Streams"},
}

func main() {
	log.SetFlags(0)
	botocore := flag.String("botocore", "", "directory of the botocore package")
	out := flag.String("out", "internal/api", "directory under which the packages lie")
	flag.Parse()
	if err := run(*botocore, *out); err != nil {
		log.Fatal(err)
	}
}

func run(botocore, out string) error {
	version, err := botocoreVersion(botocore)
	if err != nil {
		return err
	}
	for _, s := range services {
		m, err := readModel(filepath.Join(botocore, "data", s.model, "2012-08-10", "service-2.json.gz"))
		if err != nil {
			return err
		}
		text, err := generate(m, header{s.pkg, s.title, "botocore " + version + ", " + s.model + " 2012-08-10"})
		if err != nil {
			return err
		}
		dir := filepath.Join(out, s.pkg)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "shapes_gen.go"), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}

func botocoreVersion(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, "__init__.py"))
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`__version__ = '([^']+)'`).FindSubmatch(b)
	if m == nil {
		return "", fmt.Errorf("%s: no version", dir)
	}
	return string(m[1]), nil
}
