package dynamodb

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A selected is an answer to ExecuteStatement.
type selected struct {
	Items            []map[string]map[string]string
	NextToken        *string
	LastEvaluatedKey json.RawMessage
	ConsumedCapacity *struct{ CapacityUnits float64 }
}

// sel runs a SELECT; more are members of the request.
func (d *desk) sel(statement, more string) (selected, error) {
	out, err := d.run("ExecuteStatement", fmt.Sprintf(`{"Statement":%q%s}`, statement, more))
	var s selected
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	return s, err
}

// pages runs a SELECT in pages of a limit and returns the values of an attribute, and how many pages there were.
func (d *desk) pages(statement, attribute string, limit int) (values []string, pages int) {
	d.t.Helper()
	more := ""
	for {
		s, err := d.sel(statement, fmt.Sprintf(`,"Limit":%d%s`, limit, more))
		if err != nil {
			d.t.Fatal(err)
		}
		for _, it := range s.Items {
			for _, v := range it[attribute] {
				values = append(values, v)
			}
		}
		if pages++; s.NextToken == nil {
			return values, pages
		}
		more = fmt.Sprintf(`,"NextToken":%q`, *s.NextToken)
	}
}

func (d *desk) put(table, item string) {
	d.t.Helper()
	d.must("PutItem", fmt.Sprintf(`{"TableName":%q,"Item":%s}`, table, dbtest.Item(d.t, item)))
}

// TestSelectPages reads the same in pages of every size as at once, in turn and merged, in both directions.
func TestSelectPages(t *testing.T) {
	d := newDesk(t)
	dbtest.Create(t, d.catalog, "T pk:S sk:N\nglobal G g:S n:N ALL")
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		d.put("T", fmt.Sprintf("pk=%c sk=%d id=%d g=%c n=%d", 'a'+r.IntN(4), i/3, i, 'p'+r.IntN(3), r.IntN(5)))
	}
	for _, from := range []string{
		"T WHERE pk IN ('c', 'a', 'x', 'b')",
		"T WHERE pk IN ('c', 'a', 'x', 'b') ORDER BY pk DESC, sk",
		"T WHERE pk IN ('c', 'a', 'x', 'b') ORDER BY sk",
		"T WHERE pk IN ('c', 'a', 'x', 'b') ORDER BY sk DESC",
		"T WHERE pk IN ('c', 'a') AND sk BETWEEN 2 AND 9 AND id > 10 ORDER BY sk DESC, pk",
		"T.G WHERE g IN ('p', 'q', 'r') ORDER BY n",
		"T.G WHERE g IN ('p', 'q', 'r') ORDER BY n DESC",
		"T.G WHERE g IN ('r', 'p') AND n >= 2",
		"T WHERE id < 30",
	} {
		all, n := d.pages("SELECT id FROM "+from, "id", 1000)
		if n != 1 || len(all) < 5 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
			t.Fatalf("%s: %d pages, %v", from, n, all)
		}
		for limit := 1; limit < 45; limit += 1 + limit/4 {
			if got, _ := d.pages("SELECT id FROM "+from, "id", limit); !slices.Equal(got, all) {
				t.Errorf("%s, limit %d:\n got %v\nwant %v", from, limit, got, all)
			}
		}
	}
}

// TestMergeOrder checks what a merge has in common with a sort.
func TestMergeOrder(t *testing.T) {
	d := newDesk(t)
	dbtest.Create(t, d.catalog, "T pk:S sk:N")
	var want []string
	for i := range 30 {
		d.put("T", fmt.Sprintf("pk=%c sk=%d", "abc"[i%3], i))
		want = append(want, fmt.Sprint(i))
	}
	got, _ := d.pages("SELECT sk FROM T WHERE pk IN ('b', 'a', 'c') ORDER BY sk", "sk", 7)
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	slices.Reverse(want)
	if got, _ = d.pages("SELECT sk FROM T WHERE pk IN ('b', 'a', 'c') ORDER BY sk DESC", "sk", 4); !slices.Equal(got, want) {
		t.Errorf("backwards: %v", got)
	}
}

// TestLargePages reads partitions of 600 KB: an answer ends when it has read 1 MB.
func TestLargePages(t *testing.T) {
	d := newDesk(t)
	dbtest.Create(t, d.catalog, "T pk:S sk:N")
	for _, pk := range []string{"a", "b", "c"} {
		for sk := range 2 {
			d.put("T", fmt.Sprintf("pk=%s sk=%d pad=%s", pk, sk, strings.Repeat("x", 300<<10)))
		}
	}
	first, err := d.sel("SELECT pk FROM T WHERE pk IN ('a', 'b', 'c')", `,"ReturnConsumedCapacity":"TOTAL"`)
	if err != nil || len(first.Items) != 4 || first.NextToken == nil || first.LastEvaluatedKey != nil || first.ConsumedCapacity.CapacityUnits != 151 {
		t.Fatalf("in turn: %+v, %v", first, err)
	}
	rest, err := d.sel("SELECT pk FROM T WHERE pk IN ('a', 'b', 'c')", fmt.Sprintf(`,"NextToken":%q`, *first.NextToken))
	if err != nil || len(rest.Items) != 2 || rest.NextToken != nil || rest.Items[0]["pk"]["S"] != "c" {
		t.Errorf("then: %+v, %v", rest, err)
	}
	if merged, n := d.pages("SELECT pk FROM T WHERE pk IN ('a', 'b', 'c') ORDER BY sk", "pk", 100); n != 2 || strings.Join(merged, "") != "abcabc" {
		t.Errorf("merged: %d pages, %v", n, merged)
	}
}

// TestTamperedToken refuses every token with a byte changed, added or taken away.
func TestTamperedToken(t *testing.T) {
	const statement = "SELECT * FROM T WHERE pk = 'a'"
	d := newDesk(t)
	dbtest.Create(t, d.catalog, "T pk:S sk:N")
	for i := range 3 {
		d.put("T", fmt.Sprintf("pk=a sk=%d", i))
	}
	s, err := d.sel(statement, `,"Limit":1`)
	if err != nil || s.NextToken == nil {
		t.Fatal(err)
	}
	refused := func(raw []byte) {
		t.Helper()
		_, err := d.sel(statement, fmt.Sprintf(`,"NextToken":%q`, base64.StdEncoding.EncodeToString(raw)))
		if !errors.Is(err, errNextToken) {
			t.Errorf("token %x: %v", raw, err)
		}
	}
	raw, err := base64.StdEncoding.DecodeString(*s.NextToken)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1 << (i % 8)
		refused(changed)
		if i > 0 {
			refused(raw[:i])
		}
	}
	refused(append(bytes.Clone(raw), 0))
}

// TestForgedToken refuses tokens with a right check that lead out of what the statement reads.
func TestForgedToken(t *testing.T) {
	d := newDesk(t)
	dbtest.Create(t, d.catalog, "T pk:S sk:N")
	statement := "SELECT * FROM T WHERE pk IN ('a', 'b') AND sk < 5"
	binding := bindToken(d.call(), &ddb.ExecuteStatementInput{Statement: &statement})
	for name, at := range map[string][]position{
		"another partition":  {{0, dbtest.Item(t, "pk=b sk=1")}},
		"another plan":       {{2, nil}},
		"outside the range":  {{0, dbtest.Item(t, "pk=a sk=7")}},
		"part of a key":      {{0, dbtest.Item(t, "pk=a")}},
		"more than a key":    {{0, dbtest.Item(t, "pk=a sk=1 x=1")}},
		"a key of bad types": {{0, dbtest.Item(t, "pk=a sk=x")}},
		"two places at once": {{0, dbtest.Item(t, "pk=a sk=1")}, {1, nil}},
		"the wrong way":      {{1, nil}, {0, dbtest.Item(t, "pk=a sk=1")}},
	} {
		_, err := d.sel(statement, fmt.Sprintf(`,"NextToken":%q`, *newNextToken(binding, at)))
		if !errors.Is(err, errNextToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.sel(statement, fmt.Sprintf(`,"NextToken":%q`, *newNextToken(binding, []position{{1, dbtest.Item(t, "pk=b sk=1")}}))); err != nil {
		t.Errorf("a place that exists: %v", err)
	}
}

func FuzzParseToken(f *testing.F) {
	var binding [tokenBinding]byte
	f.Add(*newNextToken(binding, []position{{3, attr.Make(attr.Field{Name: "pk", Value: attr.Int(1)})}, {4, nil}}))
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAA=")
	f.Fuzz(func(t *testing.T, token string) {
		body, _ := base64.StdEncoding.DecodeString(token)
		for _, text := range []string{token, base64.StdEncoding.EncodeToString(append(check(binding, body), body...))} {
			at, err := parseToken(binding, text)
			if err != nil {
				continue
			}
			again, err := parseToken(binding, *newNextToken(binding, at))
			if err != nil || len(again) != len(at) {
				t.Errorf("%v became %v, %v", at, again, err)
			}
		}
	})
}

// TestMemberError maps every failure of a statement in a batch that is not the whole call's.
func TestMemberError(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code string // "": the call fails
	}{
		{&store.ConditionError{}, "ConditionalCheckFailed"},
		{errDuplicateItem, "DuplicateItem"},
		{store.ErrCollectionFull, "ItemCollectionSizeLimitExceeded"},
		{store.ErrItemTooLarge, "ValidationError"},
		{store.ErrTableGone, "ResourceNotFound"},
		{store.ErrInTransaction, "TransactionConflict"},
		{kv.ErrNoSpace, "ThrottlingError"},
		{api.Invalid("x"), "ValidationError"},
		{api.Internal(), ""},
		{kv.ErrCorrupt, ""},
	} {
		got := memberError(tt.err)
		if (got == nil) != (tt.code == "") || got != nil && *got.Code != tt.code {
			t.Errorf("%v: %+v", tt.err, got)
		}
	}
}

// TestStatementSizes holds statements, whose parameters may be large, to the sizes of items and transactions.
func TestStatementSizes(t *testing.T) {
	d := newDesk(t)
	dbtest.Create(t, d.catalog, "T pk:S")
	large := strings.Repeat("x", 390<<10)
	parameter := func(n int, text string) string {
		return fmt.Sprintf(`"Statement":"INSERT INTO T VALUE {'pk': '%d', 'a': ?}","Parameters":[{"S":%q}]`, n, text)
	}
	// transaction is n statements about the items that were put before.
	transaction := func(n int, statement string, parameters ...string) string {
		return `{"TransactStatements":[` + joined(n, func(i int) string {
			s := fmt.Sprintf(`{"Statement":%q`, fmt.Sprintf(statement, 10+i))
			for _, p := range parameters {
				s += fmt.Sprintf(`,"Parameters":[{"S":%q}]`, p)
			}
			return s + "}"
		}) + "]}"
	}
	for _, tt := range []struct{ op, body, want string }{
		{"ExecuteStatement", "{" + parameter(1, large) + "}", ""},
		{"ExecuteStatement", "{" + parameter(2, large+large) + "}", "ValidationException: " + itemSizeText},
		{"ExecuteStatement", `{"Statement":"UPDATE T SET b = a WHERE pk = '1'"}`, "ValidationException: " + updateSizeText},
		{"ExecuteTransaction", `{"TransactStatements":[` + joined(10, func(i int) string { return "{" + parameter(10+i, large) + "}" }) + "]}", ""},
		{"ExecuteTransaction", `{"TransactStatements":[` + joined(11, func(i int) string { return "{" + parameter(30+i, large) + "}" }) + "]}", errTransactionSize.Error()},
		{"ExecuteTransaction", transaction(10, `UPDATE T SET a = ? WHERE pk = '%d'`, large), ""},
		{"ExecuteTransaction", transaction(11, `UPDATE T SET a = ? WHERE pk = '%d'`, large), errTransactionSize.Error()},
		{"ExecuteTransaction", transaction(10, `DELETE FROM T WHERE pk = '%d' AND a < ?`, large), "ConditionalCheckFailed"},
		{"ExecuteTransaction", transaction(11, `DELETE FROM T WHERE pk = '%d' AND a < ?`, large), errTransactionSize.Error()},
		{"ExecuteTransaction", transaction(11, `EXISTS(SELECT * FROM T WHERE pk = '%d' AND a = ?)`, large), errTransactionSize.Error()},
		{"ExecuteTransaction", transaction(11, `DELETE FROM T WHERE pk = '%d'`), ""}, // what is there does not count
		{"ExecuteTransaction", `{"TransactStatements":[` + joined(101, func(i int) string { return "{" + parameter(i, "") + "}" }) + "]}", "length less than or equal to 100"},
		{"BatchExecuteStatement", `{"Statements":[` + joined(26, func(i int) string { return "{" + parameter(i, "") + "}" }) + "]}", "length less than or equal to 25"},
		{"BatchExecuteStatement", `{"Statements":[]}`, "length greater than or equal to 1"},
		{"ExecuteStatement", `{"Statement":""}`, "length greater than or equal to 1"},
		{"ExecuteStatement", `{"Statement":"` + strings.Repeat("x", 8193) + `"}`, "length less than or equal to 8192"},
		{"ExecuteStatement", `{"Statement":"SELECT * FROM T","Parameters":[]}`, "length greater than or equal to 1"},
	} {
		_, err := d.run(tt.op, tt.body)
		if got := ""; err != nil || tt.want != "" {
			if err != nil {
				got = errorAnswer(t, err)
			}
			if tt.want == "" || !strings.Contains(got, tt.want) {
				t.Errorf("%.200s: %.300s", tt.body, got)
			}
		}
	}
}

func joined(n int, f func(int) string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = f(i)
	}
	return strings.Join(list, ",")
}
