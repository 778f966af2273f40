package conformance

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// An item is what the SDK calls one.
type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue        { return &types.AttributeValueMemberS{Value: s} }
func num(n string) types.AttributeValue        { return &types.AttributeValueMemberN{Value: n} }
func integer(n int) types.AttributeValue       { return num(strconv.Itoa(n)) }
func binary(b ...byte) types.AttributeValue    { return &types.AttributeValueMemberB{Value: b} }
func object(members item) types.AttributeValue { return &types.AttributeValueMemberM{Value: members} }

// key returns the key "pk" with one value, and "sk" with another if there is one.
func key(pk string, sk ...types.AttributeValue) item {
	k := item{"pk": str(pk)}
	if len(sk) > 0 {
		k["sk"] = sk[0]
	}
	return k
}

// with returns the item and one more attribute.
func with(it item, name string, v types.AttributeValue) item {
	out := item{name: v}
	for n, v := range it {
		out[n] = v
	}
	return out
}

func put(t testing.TB, table string, it item) {
	t.Helper()
	if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
		t.Fatalf("PutItem: %v", err)
	}
}

// get reads the item, nil if there is none.
func get(t testing.TB, table string, k item) item {
	t.Helper()
	out, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: k, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatalf("GetItem: %v", err)
	}
	return out.Item
}

// wantItem compares items; sets are given in ascending order.
func wantItem(t testing.TB, got, want item) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", show(got), show(want))
	}
}

// show prints an item for a message.
func show(v any) string {
	switch v := v.(type) {
	case item:
		s := "{"
		for n, v := range v {
			s += fmt.Sprintf("%s: %s, ", n, show(v))
		}
		return s + "}"
	case *types.AttributeValueMemberM:
		return show(v.Value)
	case *types.AttributeValueMemberL:
		return fmt.Sprint(v.Value)
	default:
		return fmt.Sprintf("%+v", reflect.Indirect(reflect.ValueOf(v)))
	}
}

// wantError compares the code and the message of an error of the service.
func wantError(t testing.TB, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Errorf("got %v, want %s: %s", err, code, message)
		return
	}
	if api.ErrorCode() != code || message != "" && api.ErrorMessage() != message {
		t.Errorf("got  %s: %s\nwant %s: %s", api.ErrorCode(), clip(api.ErrorMessage()), code, clip(message))
	}
}

// invalid is the code of most errors.
const invalid = "ValidationException"
