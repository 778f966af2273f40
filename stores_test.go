package gramme_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grammedb/gramme"
)

var freeze = flag.String("freeze", "", "make the store testdata/stores/NAME with the present program")

// TestStores opens the stores that earlier releases made and reads them with the requests that were frozen beside them:
// what a release has stored every later one can read. NAME.tar.gz is the data directory; NAME.txt has the requests and their answers.
func TestStores(t *testing.T) {
	if *freeze != "" {
		freezeStore(t, *freeze)
	}
	stores, err := filepath.Glob("testdata/stores/*.tar.gz")
	if err != nil || len(stores) == 0 {
		t.Fatal("no stores", err)
	}
	for _, store := range stores {
		name := strings.TrimSuffix(store, ".tar.gz")
		t.Run(filepath.Base(name), func(t *testing.T) {
			dir := t.TempDir()
			unpack(t, store, dir)
			want, err := os.ReadFile(name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			if got := readStore(t, dir, requestsOf(string(want))); got != string(want) {
				t.Errorf("the store reads otherwise than when it was made:\n%s", firstDifference(string(want), got))
			}
		})
	}
}

// TestNewerStore refuses a store of a later release and leaves it as it is.
func TestNewerStore(t *testing.T) {
	dir := t.TempDir()
	stores, _ := filepath.Glob("testdata/stores/*.tar.gz")
	unpack(t, stores[0], dir)
	newer := []byte("gramme store, format 999\n")
	if err := os.WriteFile(filepath.Join(dir, "FORMAT"), newer, 0o644); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	_, err := gramme.Open(context.Background(), gramme.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "newer") {
		t.Fatalf("Open of a newer store: %v", err)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the refused store was changed:\n%s", firstDifference(before, after))
	}
}

// listing returns every file of a directory with its size and time.
func listing(t *testing.T, dir string) string {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		fmt.Fprintln(&b, path, info.Size(), info.ModTime())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// frozenWrites is what is done to a store before it is frozen.
var frozenWrites = []string{
	`CreateTable {"TableName":"Thread","KeySchema":[{"AttributeName":"forum","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"forum","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"},{"AttributeName":"last","AttributeType":"B"},{"AttributeName":"tag","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST","LocalSecondaryIndexes":[{"IndexName":"last","KeySchema":[{"AttributeName":"forum","KeyType":"HASH"},{"AttributeName":"last","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],"GlobalSecondaryIndexes":[{"IndexName":"tag","KeySchema":[{"AttributeName":"tag","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["doc"]}}],"Tags":[{"Key":"made","Value":"first"}]}`,
	`CreateTable {"TableName":"Counter","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"B"}],"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":6},"DeletionProtectionEnabled":true}`,
	`CreateTable {"TableName":"Gone","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}`,
	`PutItem {"TableName":"Gone","Item":{"id":{"S":"x"}}}`,
	`DeleteTable {"TableName":"Gone"}`,
	`UpdateTimeToLive {"TableName":"Thread","TimeToLiveSpecification":{"AttributeName":"until","Enabled":true}}`,
	`PutItem {"TableName":"Thread","Item":{"forum":{"S":"go"},"n":{"N":"-1500"},"last":{"B":"AP8A"},"tag":{"S":"a"},"doc":{"M":{"l":{"L":[{"N":"1"},{"S":"é😀"},{"NULL":true},{"BOOL":false}]},"b":{"B":"AAEC"}}},"ss":{"SS":["b","a"]},"ns":{"NS":["10","9","-1"]},"bs":{"BS":["AQ==","AA=="]},"big":{"N":"12345678901234567890123456789012345678"},"small":{"N":"1e-130"},"empty":{"S":""}}}`,
	`BatchWriteItem {"RequestItems":{"Thread":[{"PutRequest":{"Item":{"forum":{"S":"go"},"n":{"N":"0"},"last":{"B":"AA=="}}}},{"PutRequest":{"Item":{"forum":{"S":"go"},"n":{"N":"7"},"tag":{"S":"a"}}}},{"PutRequest":{"Item":{"forum":{"S":"rust"},"n":{"N":"1"},"last":{"B":"/w=="},"tag":{"S":"b"}}}}],"Counter":[{"PutRequest":{"Item":{"id":{"B":"AAE="},"c":{"N":"1"}}}}]}}`,
	`UpdateItem {"TableName":"Counter","Key":{"id":{"B":"AAE="}},"UpdateExpression":"ADD c :n SET #l = :l","ExpressionAttributeNames":{"#l":"list"},"ExpressionAttributeValues":{":n":{"N":"0.5"},":l":{"L":[]}}}`,
	`DeleteItem {"TableName":"Thread","Key":{"forum":{"S":"go"},"n":{"N":"0"}}}`,
	`TransactWriteItems {"ClientRequestToken":"frozen","TransactItems":[{"Put":{"TableName":"Thread","Item":{"forum":{"S":"c"},"n":{"N":"1"},"tag":{"S":"a"}}}},{"Update":{"TableName":"Counter","Key":{"id":{"B":"Ag=="}},"UpdateExpression":"SET c = :c","ExpressionAttributeValues":{":c":{"N":"2"}}}}]}`,
	`UpdateTable {"TableName":"Thread","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"},{"AttributeName":"b","AttributeType":"N"}],"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"dropped","KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}}]}`,
	`UpdateTable {"TableName":"Thread","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"dropped"}}]}`,
	`CreateTable {"TableName":"Streamed","KeySchema":[{"AttributeName":"id","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],"BillingMode":"PAY_PER_REQUEST","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`,
	`CreateTable {"TableName":"GoneToo","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":6},"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`,
	`BatchWriteItem {"RequestItems":{"Streamed":[{"PutRequest":{"Item":{"id":{"S":"a"},"n":{"N":"1"},"doc":{"M":{"l":{"L":[{"N":"1"}]}}}}}},{"PutRequest":{"Item":{"id":{"S":"b"},"n":{"N":"2"}}}}],"GoneToo":[{"PutRequest":{"Item":{"id":{"S":"x"}}}}]}}`,
	`UpdateItem {"TableName":"Streamed","Key":{"id":{"S":"a"},"n":{"N":"1"}},"UpdateExpression":"SET t = :t","ExpressionAttributeValues":{":t":{"S":"text"}}}`,
	`DeleteItem {"TableName":"Streamed","Key":{"id":{"S":"b"},"n":{"N":"2"}}}`,
	`DeleteTable {"TableName":"GoneToo"}`,
	`UpdateTable {"TableName":"Streamed","StreamSpecification":{"StreamEnabled":false}}`,
	`UpdateTable {"TableName":"Streamed","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}`,
	`PutItem {"TableName":"Streamed","Item":{"id":{"S":"c"},"n":{"N":"3"}}}`,
}

// frozenReads is how a frozen store is read.
var frozenReads = []string{
	`ListTables {}`,
	`DescribeTable {"TableName":"Thread"}`,
	`DescribeTable {"TableName":"Counter"}`,
	`DescribeTimeToLive {"TableName":"Thread"}`,
	`ListTagsOfResource {"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/Thread"}`,
	`Scan {"TableName":"Thread"}`,
	`Scan {"TableName":"Counter"}`,
	`GetItem {"TableName":"Thread","Key":{"forum":{"S":"go"},"n":{"N":"-1500"}},"ProjectionExpression":"doc.l[1], big"}`,
	`Query {"TableName":"Thread","KeyConditionExpression":"forum = :f","ExpressionAttributeValues":{":f":{"S":"go"}},"ScanIndexForward":false}`,
	`Query {"TableName":"Thread","IndexName":"last","KeyConditionExpression":"forum = :f","ExpressionAttributeValues":{":f":{"S":"go"}}}`,
	`Query {"TableName":"Thread","IndexName":"tag","KeyConditionExpression":"tag = :t","ExpressionAttributeValues":{":t":{"S":"a"}}}`,
	`DescribeTable {"TableName":"Streamed"}`,
	`Streams {}`,
}

func freezeStore(t *testing.T, name string) {
	dir := t.TempDir()
	text := readStore(t, dir, frozenWrites)
	t.Log(text)
	text = readStore(t, dir, frozenReads)
	path := filepath.Join("testdata/stores", name)
	if _, err := os.Stat(path + ".txt"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s is there already: what is frozen stays", path)
	}
	pack(t, dir, path+".tar.gz")
	if err := os.WriteFile(path+".txt", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readStore opens the store, sends the requests, and returns them with their answers.
func readStore(t *testing.T, dir string, requests []string) string {
	t.Helper()
	db, err := gramme.Open(context.Background(), gramme.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	var b strings.Builder
	for _, r := range requests {
		op, body, _ := strings.Cut(r, " ")
		answer := send
		if op == "Streams" { // no operation: everything that streams show
			answer = sendStreams
		}
		fmt.Fprintf(&b, "%s %s\n%s\n\n", op, body, answer(db.Handler(), op, body))
	}
	return b.String()
}

// sendStreams describes all streams and reads all their records, and returns the answers, one a line.
func sendStreams(h http.Handler, _, _ string) string {
	list := send(h, "ListStreams", "{}")
	lines := []string{list}
	for _, arn := range found(list, "StreamArn") {
		description := send(h, "DescribeStream", fmt.Sprintf(`{"StreamArn":%q}`, arn))
		lines = append(lines, description)
		for _, shard := range found(description, "ShardId") {
			it := send(h, "GetShardIterator", fmt.Sprintf(`{"StreamArn":%q,"ShardId":%q,"ShardIteratorType":"TRIM_HORIZON"}`, arn, shard))
			records := send(h, "GetRecords", it)
			lines = append(lines, next.ReplaceAllString(records, ""))
		}
	}
	return strings.Join(lines, "\n")
}

var next = regexp.MustCompile(`,"NextShardIterator":"[^"]*"`) // another one each time

// found returns the values of a member in a text of JSON.
func found(text, member string) (values []string) {
	for _, m := range regexp.MustCompile(`"`+member+`":"([^"]*)"`).FindAllStringSubmatch(text, -1) {
		values = append(values, m[1])
	}
	return values
}

// requestsOf returns the requests of a text that readStore made.
func requestsOf(text string) (requests []string) {
	for p := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		request, _, _ := strings.Cut(p, "\n")
		requests = append(requests, request)
	}
	return requests
}

func send(h http.Handler, op, body string) string {
	r := httptest.NewRequest("POST", "http://127.0.0.1/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	service := "DynamoDB_20120810."
	if slices.Contains([]string{"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"}, op) {
		service = "DynamoDBStreams_20120810."
	}
	r.Header.Set("X-Amz-Target", service+op)
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Body.String()
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("want %s\ngot  %s", w[i], g[i])
		}
	}
	return fmt.Sprintf("want %d lines, got %d", len(w), len(g))
}

// volatile are files of a data directory that are not worth freezing.
var volatile = regexp.MustCompile(`^(LOCK|.*\.tmp)$`)

func pack(t *testing.T, dir, file string) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || volatile.MatchString(e.Name()) {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(rel), Mode: 0o644, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err := errors.Join(err, w.Close(), z.Close(), os.WriteFile(file, b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, file, dir string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}
