package wire_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/api/ddbstreams"
	"github.com/grammedb/gramme/internal/front/wire"
	"github.com/grammedb/gramme/internal/lang/attr"
)

func ptr[T any](x T) *T { return &x }

func item(t testing.TB, text string) attr.Item {
	t.Helper()
	it, err := attr.ParseItem(text)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func TestAppendOutput(t *testing.T) {
	a := item(t, `{"a":{"S":"x"}}`)
	for _, c := range []struct {
		out  any
		want string
	}{
		{&ddb.PutItemOutput{}, `{}`},
		{(*ddb.PutItemOutput)(nil), `{}`},
		{&ddb.GetItemOutput{Item: a}, `{"Item":{"a":{"S":"x"}}}`},
		{&ddb.GetItemOutput{Item: attr.Make()}, `{"Item":{}}`},
		{
			&ddb.GetItemOutput{ConsumedCapacity: &ddb.ConsumedCapacity{
				TableName: ptr("t"), CapacityUnits: ptr(0.5), Table: &ddb.Capacity{CapacityUnits: ptr(1.0)},
				GlobalSecondaryIndexes: map[string]ddb.Capacity{"z": {}, "a": {CapacityUnits: ptr(0.0)}, "m\"": {ReadCapacityUnits: ptr(2.0)}},
			}},
			`{"ConsumedCapacity":{"TableName":"t","CapacityUnits":0.5,"Table":{"CapacityUnits":1.0},` +
				`"GlobalSecondaryIndexes":{"a":{"CapacityUnits":0.0},"m\"":{"ReadCapacityUnits":2.0},"z":{}}}}`,
		},
		{
			&ddb.QueryOutput{Items: []attr.Item{a, attr.Make()}, Count: ptr(int64(2)), ScannedCount: ptr(int64(0)), LastEvaluatedKey: a},
			`{"Items":[{"a":{"S":"x"}},{}],"Count":2,"ScannedCount":0,"LastEvaluatedKey":{"a":{"S":"x"}}}`,
		},
		{&ddb.QueryOutput{Items: []attr.Item{}}, `{"Items":[]}`},
		{
			&ddb.BatchGetItemOutput{
				Responses: map[string][]attr.Item{"t": {a}, "s": {}},
				UnprocessedKeys: map[string]ddb.KeysAndAttributes{
					"t": {Keys: []attr.SentItem{attr.Sent(a)}, ConsistentRead: ptr(false), ExpressionAttributeNames: map[string]string{"#b": "b", "#a": "a"}},
				},
			},
			`{"Responses":{"s":[],"t":[{"a":{"S":"x"}}]},"UnprocessedKeys":{"t":{"Keys":[{"a":{"S":"x"}}],"ConsistentRead":false,` +
				`"ExpressionAttributeNames":{"#a":"a","#b":"b"}}}}`,
		},
		{
			&ddb.BatchWriteItemOutput{
				UnprocessedItems: map[string][]ddb.WriteRequest{},
				ItemCollectionMetrics: map[string][]ddb.ItemCollectionMetrics{
					"t": {{ItemCollectionKey: a, SizeEstimateRangeGB: []float64{0, 1}}},
				},
			},
			`{"UnprocessedItems":{},"ItemCollectionMetrics":{"t":[{"ItemCollectionKey":{"a":{"S":"x"}},"SizeEstimateRangeGB":[0.0,1.0]}]}}`,
		},
		{
			&ddb.DescribeTableOutput{Table: &ddb.TableDescription{
				CreationDateTime: ptr(time.UnixMilli(1700000000120)), KeySchema: []ddb.KeySchemaElement{{AttributeName: ptr("a"), KeyType: ptr("HASH")}},
				DeletionProtectionEnabled: ptr(false), TableSizeBytes: ptr(int64(1) << 40),
			}},
			`{"Table":{"KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"CreationDateTime":1700000000.12,` +
				`"TableSizeBytes":1099511627776,"DeletionProtectionEnabled":false}}`,
		},
		{
			&ddbstreams.GetRecordsOutput{Records: []ddbstreams.Record{{
				EventID: ptr("1"), Dynamodb: &ddbstreams.StreamRecord{Keys: a, SequenceNumber: ptr("2")}, UserIdentity: &ddbstreams.Identity{Type: ptr("Service")},
			}}},
			`{"Records":[{"eventID":"1","dynamodb":{"Keys":{"a":{"S":"x"}},"SequenceNumber":"2"},"userIdentity":{"Type":"Service"}}]}`,
		},
	} {
		op := &api.Op{Out: reflect.TypeOf(c.out).Elem()}
		got := string(wire.Codec{}.AppendOutput([]byte("before "), op, c.out))
		if got != "before "+c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if !json.Valid([]byte(got[len("before "):])) {
			t.Errorf("not JSON: %s", got)
		}
	}
}

func TestAppendOutputWithoutBody(t *testing.T) {
	if got := (wire.Codec{}).AppendOutput(nil, &api.Op{}, &api.Nothing{}); len(got) != 0 {
		t.Errorf("%s", got)
	}
}

func TestNumbers(t *testing.T) {
	type output struct{ X *float64 }
	op := &api.Op{Out: reflect.TypeFor[output]()}
	for x, want := range map[float64]string{
		0: "0.0", 1: "1.0", 0.5: "0.5", -2.25: "-2.25", 1024: "1024.0", 0.001: "0.001", 0.0005: "5.0E-4", 1.25e-7: "1.25E-7",
		9999999: "9999999.0", 1e7: "1.0E7", 12345678.5: "1.23456785E7", 1e21: "1.0E21", -1e100: "-1.0E100", math.MaxFloat64: "1.7976931348623157E308",
	} {
		if got := string(wire.Codec{}.AppendOutput(nil, op, &output{&x})); got != `{"X":`+want+`}` {
			t.Errorf("%g: %s, want %s", x, got, want)
		}
	}
}

func TestTimestamps(t *testing.T) {
	type output struct{ T *time.Time }
	op := &api.Op{Out: reflect.TypeFor[output]()}
	for ms, want := range map[int64]string{
		0: "0", 1: "0.001", 10: "0.01", 100: "0.1", 1000: "1", -1: "-0.001", -1500: "-1.5", 1700000000000: "1700000000", 1700000000999: "1700000000.999",
	} {
		if got := string(wire.Codec{}.AppendOutput(nil, op, &output{ptr(time.UnixMilli(ms))})); got != `{"T":`+want+`}` {
			t.Errorf("%d: %s, want %s", ms, got, want)
		}
	}
}

func TestAppendError(t *testing.T) {
	a := item(t, `{"a":{"S":"x"}}`)
	reasons := []ddb.ThrottlingReason{{Reason: ptr("r"), Resource: ptr("arn")}}
	for _, c := range []struct {
		err  *api.Error
		want string
	}{
		{api.Serialization(""), `{"__type":"com.amazon.coral.service#SerializationException"}`},
		{api.Serialization("x"), `{"__type":"com.amazon.coral.service#SerializationException","Message":"x"}`},
		{api.Invalid("a \"b\" %d", 1), `{"__type":"com.amazon.coral.validate#ValidationException","message":"a \"b\" 1"}`},
		{api.UnknownOperation(), `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		{api.Internal(), `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"Internal server error"}`},
		{
			api.Errorf("ConditionalCheckFailedException", "The conditional request failed").With(&ddb.ConditionalCheckFailedException{}),
			`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}`,
		},
		{
			api.Errorf("ConditionalCheckFailedException", "f").With((*ddb.ConditionalCheckFailedException)(nil)),
			`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"f"}`,
		},
		{
			api.Errorf("ConditionalCheckFailedException", "f").With(&ddb.ConditionalCheckFailedException{Item: a}),
			`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"f","Item":{"a":{"S":"x"}}}`,
		},
		{
			api.Errorf("TransactionCanceledException", "f").With(&ddb.TransactionCanceledException{CancellationReasons: []ddb.CancellationReason{
				{Code: ptr("None")}, {Code: ptr("ConditionalCheckFailed"), Message: ptr("m"), Item: a},
			}}),
			`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"f",` +
				`"CancellationReasons":[{"Code":"None"},{"Item":{"a":{"S":"x"}},"Code":"ConditionalCheckFailed","Message":"m"}]}`,
		},
		{
			api.Throttled("f").With(&ddb.ThrottlingException{ThrottlingReasons: reasons}),
			`{"__type":"com.amazon.coral.availability#ThrottlingException","message":"f","throttlingReasons":[{"reason":"r","resource":"arn"}]}`,
		},
		{
			api.Errorf("RequestLimitExceeded", "f").With(&ddb.RequestLimitExceeded{ThrottlingReasons: reasons}),
			`{"__type":"com.amazonaws.dynamodb.v20120810#RequestLimitExceeded","message":"f","ThrottlingReasons":[{"reason":"r","resource":"arn"}]}`,
		},
	} {
		if got := string(wire.Codec{}.AppendError(nil, c.err)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// A body of a few megabytes does not become a gigabyte of structs.
func TestManyMembers(t *testing.T) {
	for name, body := range map[string]string{
		"CreateTable":  `{"GlobalSecondaryIndexes":[<<{},*100000>>{}]}`,
		"Query":        `{"KeyConditions":{"a":{"AttributeValueList":[<<{},*100000>>{}]}}}`,
		"BatchGetItem": `{"RequestItems":{<<"":{},*100000>>"":{}}}`,
		"Scan":         `{"AttributesToGet":[<<"",*50000>>""],"ExpressionAttributeNames":{<<"":"",*50000>>"":""}}`,
	} {
		if _, err := (wire.Codec{}).Decode(operations[name], []byte(expand(body))); err == nil {
			t.Errorf("%s is taken", body)
		}
	}
}

// What was decoded does not change when the decoder and the body's buffer are used again.
func TestDecodedIsKept(t *testing.T) {
	op := operations["PutItem"]
	body := []byte(`{"TableName":"abc","Item":{"a":{"S":"x"}}}`)
	in, err := wire.Codec{}.Decode(op, body)
	if err != nil {
		t.Fatal(err)
	}
	copy(body, `{"TableName":"xyz","Item":{"b":{"S":"y"}}}`)
	if _, err := (wire.Codec{}).Decode(op, body); err != nil {
		t.Fatal(err)
	}
	got := string(wire.Codec{}.AppendOutput(nil, &api.Op{Out: op.In}, in))
	if want := `{"TableName":"abc","Item":{"a":{"S":"x"}}}`; got != want {
		t.Errorf("got %s", got)
	}
}

// FuzzDecode checks that no body does harm, that exactly well-formed objects get past, and that what was decoded and
// written is decoded to the same.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"TableName":"t","Key":{"a":{"S":"x"}},"AttributesToGet":["a"],"ConsistentRead":true}`,
		`{"RequestItems":{"t":[{"PutRequest":{"Item":{"a":{"N":"1"}}}},{"DeleteRequest":null}]}}`,
		`{"RequestItems":{"t":{"Keys":[{}],"ExpressionAttributeNames":{"#a":"b"}}}}`,
		`{"KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"ProvisionedThroughput":{"ReadCapacityUnits":1e3}}`,
		`{"RestoreDateTime":1.7E9,"Limit":"x","KeyConditions":{"a":{"AttributeValueList":[{"SS":["a","a"]}]}}}`,
	} {
		for i := range 5 {
			f.Add(uint8(i), []byte(body))
		}
	}
	names := []string{"GetItem", "BatchWriteItem", "BatchGetItem", "CreateTable", "Query", "RestoreTableToPointInTime", "TransactWriteItems"}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		op := operations[names[int(which)%len(names)]]
		in, err := wire.Codec{}.Decode(op, body)
		if err != nil {
			var e *api.Error
			if !errors.As(err, &e) || e.Code != "SerializationException" || e.Message != "" && !json.Valid(body) {
				t.Fatalf("%s: %v", body, err)
			}
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q is taken", body)
		}
		api.Validate(op, in)
		first := wire.Codec{}.AppendOutput(nil, &api.Op{Out: op.In}, in)
		again, err := wire.Codec{}.Decode(op, first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if second := (wire.Codec{}).AppendOutput(nil, &api.Op{Out: op.In}, again); string(second) != string(first) {
			t.Fatalf("%s\nbecomes\n%s", first, second)
		}
	})
}

const getItemBody = `{"TableName":"benchmark-table","Key":{"pk":{"S":"user#0000012345"},"sk":{"S":"profile"}},"ReturnConsumedCapacity":"TOTAL"}`

func TestAllocations(t *testing.T) {
	op := operations["GetItem"]
	n := testing.AllocsPerRun(200, func() {
		if _, err := (wire.Codec{}).Decode(op, []byte(getItemBody)); err != nil {
			t.Fatal(err)
		}
	})
	if n > 8 {
		t.Errorf("decode: %v allocations", n)
	}
	var values []byte
	n = testing.AllocsPerRun(200, func() {
		if _, err := (wire.Codec{Values: &values}).Decode(op, []byte(getItemBody)); err != nil {
			t.Fatal(err)
		}
	})
	if n > 7 {
		t.Errorf("decode into used memory: %v allocations", n)
	}
	out, buf := getItemOutput(t), make([]byte, 0, 4096)
	n = testing.AllocsPerRun(200, func() { buf = wire.Codec{}.AppendOutput(buf[:0], op, out) })
	if n != 0 {
		t.Errorf("encode: %v allocations", n)
	}
}

func getItemOutput(t testing.TB) *ddb.GetItemOutput {
	return &ddb.GetItemOutput{
		Item: item(t, expand(`{"pk":{"S":"user#0000012345"},"sk":{"S":"profile"},"name":{"S":"<<x*150>>"},"note":{"S":"<<y*150>>"},`+
			`"age":{"N":"42"},"score":{"N":"1234.5"},"tags":{"L":[{"S":"a"},{"S":"b"}]},"ok":{"BOOL":true}}`)),
		ConsumedCapacity: &ddb.ConsumedCapacity{TableName: ptr("benchmark-table"), CapacityUnits: ptr(0.5)},
	}
}

func BenchmarkDecodeGetItem(b *testing.B) {
	op, body := operations["GetItem"], []byte(getItemBody)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (wire.Codec{}).Decode(op, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePutItem(b *testing.B) {
	op := operations["PutItem"]
	body := append([]byte(`{"TableName":"benchmark-table","Item":`), getItemOutput(b).Item.AppendJSON(nil)...)
	body = append(body, '}')
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (wire.Codec{}).Decode(op, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeGetItem(b *testing.B) {
	op, out, buf := operations["GetItem"], getItemOutput(b), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = wire.Codec{}.AppendOutput(buf[:0], op, out)
	}
}
