package conformance

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func transact(t testing.TB, actions ...types.TransactWriteItem) error {
	_, err := db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: actions})
	return err
}

func txPut(table string, it item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: &table, Item: it}}
}

func txCheck(table string, k item, condition string, r types.ReturnValuesOnConditionCheckFailure) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &table, Key: k, ConditionExpression: &condition, ReturnValuesOnConditionCheckFailure: r,
	}}
}

func txAdd(table string, k item, n int, condition string) types.TransactWriteItem {
	u := &types.Update{
		TableName: &table, Key: k, UpdateExpression: aws.String("ADD n :n"), ExpressionAttributeValues: item{":n": integer(n)},
	}
	if condition != "" {
		u.ConditionExpression = &condition
		u.ExpressionAttributeValues[":limit"] = integer(-n)
	}
	return types.TransactWriteItem{Update: u}
}

// wantReasons compares the cancellation reasons, each as "Code" or "Code: message".
func wantReasons(t *testing.T, err error, want ...string) []types.CancellationReason {
	t.Helper()
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		t.Errorf("got %v, want a cancellation", err)
		return nil
	}
	var codes []string
	for i, r := range cancelled.CancellationReasons {
		got := aws.ToString(r.Code)
		codes = append(codes, got)
		if r.Message != nil {
			got += ": " + *r.Message
		}
		if i < len(want) && got != want[i] {
			t.Errorf("reason %d is %q, want %q", i, got, want[i])
		}
	}
	if len(codes) != len(want) {
		t.Errorf("%d reasons, want %d", len(codes), len(want))
	}
	text := "Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]"
	if got := cancelled.ErrorMessage(); got != text {
		t.Errorf("got  %s\nwant %s", got, text)
	}
	return cancelled.CancellationReasons
}

func TestCancellationReasons(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), gsi("byA", "a:S"))
	stored := item{"pk": str("stored"), "n": num("1")}
	put(t, table, stored)
	const failed = "ConditionalCheckFailed: The conditional request failed"
	allOld, none := types.ReturnValuesOnConditionCheckFailureAllOld, types.ReturnValuesOnConditionCheckFailureNone

	err := transact(t,
		txPut(table, item{"pk": str("new")}),
		txCheck(table, key("stored"), "attribute_not_exists(pk)", allOld),
		txCheck(table, key("nobody"), "attribute_exists(pk)", allOld),
		txCheck(table, key("nobody else"), "attribute_not_exists(pk)", none),
	)
	reasons := wantReasons(t, err, "None", failed, failed, "None")
	if len(reasons) == 4 {
		wantItem(t, reasons[1].Item, stored)
		wantItem(t, reasons[2].Item, nil)
	}
	wantItem(t, get(t, table, key("new")), nil)

	err = transact(t, txCheck(table, key("stored"), "attribute_not_exists(pk)", none))
	if reasons = wantReasons(t, err, failed); len(reasons) == 1 {
		wantItem(t, reasons[0].Item, nil)
	}

	wantReasons(t, transact(t, txPut(table, item{"pk": num("1")}), txPut(table, item{"pk": str("ok")})),
		"ValidationError: One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N", "None")
	wantReasons(t, transact(t, txPut(table, item{"pk": str("a"), "a": num("1")})),
		"ValidationError: One or more parameter values were invalid: Type mismatch for Index Key a Expected: S Actual: N IndexName: byA")
	update := types.TransactWriteItem{Update: &types.Update{
		TableName: &table, Key: key("stored"), UpdateExpression: aws.String("SET a = nope"),
	}}
	wantReasons(t, transact(t, update), "ValidationError: The provided expression refers to an attribute that does not exist in the item")
	wantItem(t, get(t, table, key("stored")), stored)
}

// A transaction has at most 100 actions, each on an item of its own.
func TestTransactionLimits(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	var actions []types.TransactWriteItem
	for i := range 101 {
		actions = append(actions, txPut(table, item{"pk": str(fmt.Sprint(i)), "n": integer(i)}))
	}
	if err := transact(t, actions[:100]...); err != nil {
		t.Fatal("100 actions:", err)
	}
	if n := len(scanAll(t, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})); n != 100 {
		t.Errorf("%d items", n)
	}
	err := transact(t, actions...)
	wantError(t, err, invalid, "")
	if err != nil && !strings.HasSuffix(err.Error(), "at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100") {
		t.Error(clip(err.Error()))
	}
	wantError(t, transact(t, actions[0], actions[1], actions[0]), invalid, "Transaction request cannot include multiple operations on one item")

	var big []types.TransactWriteItem
	for i := range 11 {
		big = append(big, txPut(table, item{"pk": str(fmt.Sprint(i)), "v": str(strings.Repeat("x", 390<<10))}))
	}
	wantError(t, transact(t, big...), invalid, "")
	if err := transact(t, big[:10]...); err != nil {
		t.Error("3.9 MB:", err)
	}
}

// Money moved between accounts by concurrent transactions is neither made nor lost, and every reader sees the whole of it.
func TestConcurrentTransfers(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	const accounts, each, movers, moves = 5, 100, 4, 20
	var gets []types.TransactGetItem
	for i := range accounts {
		k := key(fmt.Sprint(i))
		put(t, table, with(k, "n", integer(each)))
		gets = append(gets, types.TransactGetItem{Get: &types.Get{TableName: &table, Key: k}})
	}
	total := func() (sum int, err error) {
		out, err := db.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: gets})
		if err != nil {
			return 0, err
		}
		for _, r := range out.Responses {
			var n int
			if _, err := fmt.Sscan(r.Item["n"].(*types.AttributeValueMemberN).Value, &n); err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	}
	var wg sync.WaitGroup
	for m := range movers {
		wg.Go(func() {
			for i := range moves {
				from, to := (m+i)%accounts, (m+2*i+1)%accounts
				if from == to {
					continue
				}
				err := transact(t, txAdd(table, key(fmt.Sprint(from)), -7, "n >= :limit"), txAdd(table, key(fmt.Sprint(to)), 7, ""))
				if err != nil && !errors.As(err, new(*types.TransactionCanceledException)) {
					t.Error(err)
				}
				if sum, err := total(); err == nil && sum != accounts*each {
					t.Errorf("a reader sees %d", sum)
				} else if err != nil && !errors.As(err, new(*types.TransactionCanceledException)) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if sum, err := total(); err != nil || sum != accounts*each {
		t.Errorf("%d in the end, %v", sum, err)
	}
}

// A token makes a repeated transaction harmless, and another one under it an error.
func TestClientRequestToken(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	run := func(n int) (*dynamodb.TransactWriteItemsOutput, error) {
		return db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
			TransactItems: []types.TransactWriteItem{txAdd(table, key("a"), n, "")}, ClientRequestToken: aws.String("token"),
			ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
	}
	first, err := run(1)
	if err != nil {
		t.Fatal(err)
	}
	second, err := run(1)
	if err != nil {
		t.Fatal(err)
	}
	wantItem(t, get(t, table, key("a")), item{"pk": str("a"), "n": num("1")})
	if c := first.ConsumedCapacity[0]; aws.ToFloat64(c.WriteCapacityUnits) != 2 || c.ReadCapacityUnits != nil {
		t.Errorf("the first took %+v", c)
	}
	if c := second.ConsumedCapacity[0]; aws.ToFloat64(c.ReadCapacityUnits) != 2 || c.WriteCapacityUnits != nil {
		t.Errorf("the repetition took %+v", c)
	}
	_, err = run(2)
	if !errors.As(err, new(*types.IdempotentParameterMismatchException)) {
		t.Errorf("another request under the token: %v", err)
	}
}

func TestTransactGet(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	put(t, table, item{"pk": str("a"), "x": num("1"), "status": num("2")})
	out, err := db.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{
		TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: &table, Key: key("a"), ProjectionExpression: aws.String("#s"), ExpressionAttributeNames: map[string]string{"#s": "status"}}},
			{Get: &types.Get{TableName: &table, Key: key("nobody")}},
			{Get: &types.Get{TableName: &table, Key: key("b"), ProjectionExpression: aws.String("x")}},
		},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Responses) != 3 {
		t.Fatalf("%d responses", len(out.Responses))
	}
	wantItem(t, out.Responses[0].Item, item{"status": num("2")})
	wantItem(t, out.Responses[1].Item, nil)
	wantItem(t, out.Responses[2].Item, nil)
	if c := out.ConsumedCapacity; len(c) != 1 || aws.ToFloat64(c[0].CapacityUnits) != 6 || aws.ToFloat64(c[0].ReadCapacityUnits) != 6 {
		t.Errorf("capacity %+v", c)
	}
}
