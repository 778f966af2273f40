package dynamodb

import (
	"reflect"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/front/wire"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// TestSameRequests: what a token stands for does not depend on how a request is written, and on everything that it says.
func TestSameRequests(t *testing.T) {
	hash := func(op string, body string) [32]byte {
		t.Helper()
		for _, o := range New(Config{}).API().Ops {
			if o.Name != op {
				continue
			}
			in, err := wire.Codec{}.Decode(o, []byte(body))
			if err != nil {
				t.Fatal(body, err)
			}
			token := "t"
			return newToken(&api.Call{}, &token, in).Hash
		}
		panic(op)
	}
	const transaction = `{"ClientRequestToken":"t","ReturnConsumedCapacity":"TOTAL","TransactItems":[` +
		`{"Put":{"TableName":"T","Item":{"a":{"S":"x"},"b":{"N":"1"}},"ConditionExpression":"#a = :v AND #b = :w","ExpressionAttributeNames":{"#a":"x","#b":"y"},"ExpressionAttributeValues":{":v":{"SS":["1","2"]},":w":{"L":[]}}}},` +
		`{"Update":{"TableName":"T","Key":{"a":{"S":"y"}},"UpdateExpression":"SET b = c"}},{"Delete":{"TableName":"T","Key":{"a":{"S":"z"}}}},` +
		`{"ConditionCheck":{"TableName":"U","Key":{"a":{"S":"z"}},"ConditionExpression":"attribute_exists(a)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}]}`
	const statements = `{"ClientRequestToken":"t","TransactStatements":[{"Statement":"DELETE FROM T WHERE a = ?","Parameters":[{"S":"x"}]},{"Statement":"DELETE FROM T WHERE a = 1"}]}`
	for _, c := range []struct{ op, body, old, new string }{
		{"TransactWriteItems", transaction, `"a":{"S":"x"},"b":{"N":"1"}`, `"b":{"N":"1.0"}, "a":{"S":"x"}`},
		{"TransactWriteItems", transaction, `{"#a":"x","#b":"y"}`, `{"#b":"y", "#a":"x"}`},
		{"TransactWriteItems", transaction, `["1","2"]`, `["2","1"]`},
		{"TransactWriteItems", transaction, `{"Delete":{`, `{"Put":null,"Delete":{"Unknown":1,`},
	} {
		if body := strings.Replace(c.body, c.old, c.new, 1); body == c.body || hash(c.op, body) != hash(c.op, c.body) {
			t.Errorf("%s instead of %s makes another request", c.new, c.old)
		}
	}
	for _, c := range []struct{ op, body, old, new string }{
		{"TransactWriteItems", transaction, `"ReturnConsumedCapacity":"TOTAL",`, ``},
		{"TransactWriteItems", transaction, `"TOTAL"`, `"INDEXES"`},
		{"TransactWriteItems", transaction, `"ReturnConsumedCapacity"`, `"ReturnItemCollectionMetrics"`},
		{"TransactWriteItems", transaction, `{"#a":"x","#b":"y"}`, `{"#a":"y","#b":"x"}`},
		{"TransactWriteItems", transaction, `"ExpressionAttributeNames":{"#a":"x","#b":"y"},`, ``},
		{"TransactWriteItems", transaction, `"ExpressionAttributeNames":{"#a":"x","#b":"y"},`, `"ExpressionAttributeNames":{},`},
		{"TransactWriteItems", transaction, `{"L":[]}`, `{"M":{}}`},
		{"TransactWriteItems", transaction, `"Item":{"a":{"S":"x"},"b":{"N":"1"}}`, `"Item":{"a":{"S":"x"}}`},
		{"TransactWriteItems", transaction, `"Delete"`, `"ConditionCheck"`},
		{"TransactWriteItems", transaction, `"U"`, `"T"`},
		{"TransactWriteItems", transaction, `SET b = c`, `SET b = d`},
		{"TransactWriteItems", transaction, `,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"`, ``},
		{"TransactWriteItems", transaction, `{"Delete":{"TableName":"T","Key":{"a":{"S":"z"}}}},`, ``},
		{"ExecuteTransaction", statements, `{"S":"x"}`, `{"S":"y"}`},
		{"ExecuteTransaction", statements, `,"Parameters":[{"S":"x"}]`, ``},
		{"ExecuteTransaction", statements, `a = 1`, `a = 2`},
		{"ExecuteTransaction", statements, `"ClientRequestToken":"t"`, `"ClientRequestToken":"t","ReturnConsumedCapacity":"NONE"`},
	} {
		if body := strings.Replace(c.body, c.old, c.new, 1); body == c.body || hash(c.op, body) == hash(c.op, c.body) {
			t.Errorf("%s instead of %s makes no other request", c.new, c.old)
		}
	}
}

// TestTokensOutliveReleases: what is remembered of a request stays the same when its shape gets a member, or its members another order.
func TestTokensOutliveReleases(t *testing.T) {
	type before struct {
		TableName *string
		Key       attr.SentItem
		Nested    []struct{ B *string }
	}
	type after struct {
		Added  *string
		Key    attr.SentItem
		Nested []struct {
			A []string
			B *string
			C attr.SentValue
		}
		TableName *string
		Values    map[string]string
	}
	key := attr.Sent(attr.Make(attr.Field{Name: "a", Value: attr.String("x")}))
	old := before{TableName: new("T"), Key: key, Nested: []struct{ B *string }{{new("b")}}}
	now := after{TableName: new("T"), Key: key}
	now.Nested = append(now.Nested, struct {
		A []string
		B *string
		C attr.SentValue
	}{B: new("b")})
	hash := func(in any) [32]byte { return newToken(&api.Call{}, new("t"), in).Hash }
	if hash(&old) != hash(&now) {
		t.Error("an added member that a request does not have makes it another request")
	}
	now.Added = new("x")
	if hash(&old) == hash(&now) {
		t.Error("an added member makes no difference")
	}
}

// TestMembersOfRequestsWithTokens: newToken knows the types of all members.
func TestMembersOfRequestsWithTokens(t *testing.T) {
	for _, in := range []any{new(ddb.TransactWriteItemsInput), new(ddb.ExecuteTransactionInput)} {
		v := reflect.ValueOf(in)
		fill(v.Elem())
		appendMember(nil, v.Elem())
	}
}

// fill makes everything that may be absent present.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		if v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	}
}
