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

var services = []service{
	{"dynamodb", "2012-08-10", "ddb", "Amazon DynamoDB", nil},
	{"dynamodbstreams", "2012-08-10", "ddbstreams", "Amazon DynamoDB Streams", nil},
	{"lambda", "2015-03-31", "lambda", "AWS Lambda", []string{
		"CreateEventSourceMapping", "CreateFunction", "DeleteEventSourceMapping", "DeleteFunction", "GetEventSourceMapping",
		"GetFunction", "GetFunctionConfiguration", "Invoke", "ListEventSourceMappings", "ListFunctions",
		"UpdateEventSourceMapping", "UpdateFunctionCode", "UpdateFunctionConfiguration",
	}},
}

// A service is a model and the package that is made from it: of all its operations, or of some.
type service struct {
	model, version, pkg, title string
	operations                 []string // nil: all
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
		m, err := readModel(filepath.Join(botocore, "data", s.model, s.version, "service-2.json.gz"))
		if err != nil {
			return err
		}
		m.keep(s.operations)
		text, err := generate(m, header{s.pkg, s.title, "botocore " + version + ", " + s.model + " " + s.version})
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
