package conformance

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// What the SDK's expression builder writes is understood, its parentheses included.
func TestExpressionBuilder(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:N"))
	for i := range 20 {
		put(t, table, item{"pk": str("p"), "sk": integer(i), "status": str([]string{"on", "off"}[i%2]), "size": integer(i * 10)})
	}
	name, value := expression.Name, expression.Value
	condition := expression.Key("pk").Equal(value("p")).And(expression.Key("sk").Between(value(5), value(15)))
	for _, c := range []struct {
		filter expression.ConditionBuilder
		want   []string
	}{
		{name("status").Equal(value("on")), []string{"6", "8", "10", "12", "14"}},
		{expression.Not(name("status").Equal(value("on"))).And(name("size").GreaterThan(value(100))), []string{"11", "13", "15"}},
		{name("size").In(value(60), value(70), value("80")), []string{"6", "7"}},
		{expression.Or(name("size").LessThan(value(60)), name("size").GreaterThanEqual(value(150)), name("nope").AttributeExists()), []string{"5", "15"}},
		{name("status").BeginsWith("of").And(name("size").Between(value(70), value(90)), name("status").Size().Equal(value(3))), []string{"7", "9"}},
		{name("status").Contains("n").And(name("size").NotEqual(value(60))), []string{"8", "10", "12", "14"}},
		{name("size").AttributeType(expression.String), nil},
	} {
		e, err := expression.NewBuilder().WithKeyCondition(condition).WithFilter(c.filter).
			WithProjection(expression.NamesList(name("sk"), name("status"))).Build()
		if err != nil {
			t.Fatal(err)
		}
		found := queryAll(t, &dynamodb.QueryInput{
			TableName: &table, KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(), ProjectionExpression: e.Projection(),
			ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
		})
		if got := texts(found, "sk"); !slices.Equal(got, c.want) {
			t.Errorf("%s: %s, want %s", *e.Filter(), got, c.want)
		}
	}

	update := expression.Set(name("doc"), value(map[string]any{"list": []int{1, 2}})).
		Set(name("status"), expression.IfNotExists(name("nope"), value("new"))).
		Set(name("size"), name("size").Plus(value(1))).
		Set(name("list"), expression.ListAppend(value([]string{"a"}), value([]string{"b"}))).
		Remove(name("gone")).Add(name("count"), value(2)).Delete(name("set"), value(1))
	e, err := expression.NewBuilder().WithUpdate(expression.Set(name("x"), value("y"))).WithCondition(name("pk").AttributeExists()).Build()
	if err != nil {
		t.Fatal(err)
	}
	run := func(e expression.Expression) error {
		_, err := db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: key("p", num("1")), UpdateExpression: e.Update(), ConditionExpression: e.Condition(),
			ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
		})
		return err
	}
	if err := run(e); err != nil {
		t.Error(err)
	}
	if e, err = expression.NewBuilder().WithUpdate(update).Build(); err != nil {
		t.Fatal(err)
	}
	wantError(t, run(e), invalid, "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER")
}
