package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// What is kept lies in one table of the system's namespace, whatever region it belongs to:
//
//	pk                  sk            doc
//	function            region/name   definition
//	mapping             region/uuid   event source mapping
//	checkpoint/UUID     shard         how far a mapping has come
//	event               id            invocation that nobody waits for
//	blob                id            nothing: there is, or was to be, a blob
//	blob/ID             number        a piece of it
const (
	stateTable  = "lambda"
	stateRegion = "system"
)

// state keeps documents and blobs in the database, as its client.
type state struct{ door *api.Invoker }

// open makes the table if it is not there yet, and waits until it can be used.
func (s state) open(ctx context.Context) error {
	_, err := api.Invoke[ddb.CreateTableOutput](ctx, s.door, stateRegion, "CreateTable", &ddb.CreateTableInput{
		TableName:   new(stateTable),
		BillingMode: new("PAY_PER_REQUEST"),
		AttributeDefinitions: []ddb.AttributeDefinition{
			{AttributeName: new("pk"), AttributeType: new("S")}, {AttributeName: new("sk"), AttributeType: new("S")},
		},
		KeySchema: []ddb.KeySchemaElement{
			{AttributeName: new("pk"), KeyType: new("HASH")}, {AttributeName: new("sk"), KeyType: new("RANGE")},
		},
	})
	if err != nil && !api.HasCode(err, "ResourceInUseException") {
		return fmt.Errorf("lambda: making the table of its state: %w", err)
	}
	for {
		out, err := api.Invoke[ddb.DescribeTableOutput](ctx, s.door, stateRegion, "DescribeTable", &ddb.DescribeTableInput{TableName: new(stateTable)})
		if err != nil {
			return fmt.Errorf("lambda: the table of its state: %w", err)
		}
		if *out.Table.TableStatus == "ACTIVE" {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond): // with --lifecycle-delay
		}
	}
}

// An id is the key of a row.
type id struct{ pk, sk string }

func (i id) item(more ...attr.Field) attr.Item {
	return attr.Make(append(more, attr.Field{Name: "pk", Value: attr.String(i.pk)}, attr.Field{Name: "sk", Value: attr.String(i.sk)})...)
}

// The conditions of a put.
const (
	always   = ""
	ifAbsent = "attribute_not_exists(pk)"
	ifThere  = "attribute_exists(pk)"
)

// put stores a document if a condition holds, and reports whether it did.
func (s state) put(ctx context.Context, i id, doc any, condition string) (bool, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return false, err
	}
	return s.putBytes(ctx, i, text, condition)
}

func (s state) putBytes(ctx context.Context, i id, content []byte, condition string) (bool, error) {
	in := &ddb.PutItemInput{TableName: new(stateTable), Item: attr.Sent(i.item(attr.Field{Name: "doc", Value: attr.Binary(content)}))}
	if condition != always {
		in.ConditionExpression = &condition
	}
	_, err := api.Invoke[ddb.PutItemOutput](ctx, s.door, stateRegion, "PutItem", in)
	if api.HasCode(err, "ConditionalCheckFailedException") {
		return false, nil
	}
	return err == nil, err
}

// swap stores a document and returns the content that was there, nil if there was none.
func (s state) swap(ctx context.Context, i id, doc any) ([]byte, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	out, err := api.Invoke[ddb.PutItemOutput](ctx, s.door, stateRegion, "PutItem", &ddb.PutItemInput{
		TableName: new(stateTable), Item: attr.Sent(i.item(attr.Field{Name: "doc", Value: attr.Binary(text)})), ReturnValues: new("ALL_OLD"),
	})
	if err != nil || out.Attributes == nil {
		return nil, err
	}
	return out.Attributes.Get("doc").Bytes(), nil
}

// get reads a document into doc and reports whether there is one.
func (s state) get(ctx context.Context, i id, doc any) (bool, error) {
	content, err := s.getBytes(ctx, i)
	if content == nil || err != nil {
		return false, err
	}
	return true, json.Unmarshal(content, doc)
}

// getBytes returns the content of a row, nil if there is none.
func (s state) getBytes(ctx context.Context, i id) ([]byte, error) {
	out, err := api.Invoke[ddb.GetItemOutput](ctx, s.door, stateRegion, "GetItem", &ddb.GetItemInput{
		TableName: new(stateTable), Key: attr.Sent(i.item()), ConsistentRead: new(true),
	})
	if err != nil || out.Item == nil {
		return nil, err
	}
	return out.Item.Get("doc").Bytes(), nil
}

// remove removes a row and reports whether there was one.
func (s state) remove(ctx context.Context, i id) (bool, error) {
	out, err := api.Invoke[ddb.DeleteItemOutput](ctx, s.door, stateRegion, "DeleteItem", &ddb.DeleteItemInput{
		TableName: new(stateTable), Key: attr.Sent(i.item()), ReturnValues: new("ALL_OLD"),
	})
	if err != nil {
		return false, err
	}
	return out.Attributes != nil, nil
}

// A span is the rows of a partition whose sort keys begin with prefix and come after it and after.
type span struct{ pk, prefix, after string }

// maxMarker is the size of the longest marker: names and UUIDs are shorter, and a sort key holds it behind any prefix.
const maxMarker = 512

func checkMarker(marker string) error {
	if len(marker) > maxMarker {
		return invalid("Invalid marker: %.50s...", marker)
	}
	return nil
}

func (s span) query() *ddb.QueryInput {
	in := &ddb.QueryInput{TableName: new(stateTable), ConsistentRead: new(true), KeyConditionExpression: new("pk = :pk")}
	values := []attr.Field{{Name: ":pk", Value: attr.String(s.pk)}}
	if s.prefix != "" {
		in.KeyConditionExpression = new("pk = :pk AND begins_with(sk, :prefix)")
		values = append(values, attr.Field{Name: ":prefix", Value: attr.String(s.prefix)})
	}
	if s.after != "" {
		in.ExclusiveStartKey = attr.Sent(id{s.pk, s.prefix + s.after}.item())
	}
	in.ExpressionAttributeValues = attr.Sent(attr.Make(values...))
	return in
}

// each calls f with the rows of a span in ascending order, until it returns false. sk is without the prefix.
func (s state) each(ctx context.Context, rows span, f func(sk string, content []byte) (more bool, err error)) error {
	in := rows.query()
	for {
		out, err := api.Invoke[ddb.QueryOutput](ctx, s.door, stateRegion, "Query", in)
		if err != nil {
			return err
		}
		for _, it := range out.Items {
			if more, err := f(string(it.Get("sk").Bytes()[len(rows.prefix):]), it.Get("doc").Bytes()); err != nil || !more {
				return err
			}
		}
		if out.LastEvaluatedKey == nil {
			return nil
		}
		in.ExclusiveStartKey = attr.Sent(out.LastEvaluatedKey)
	}
}

// all returns the documents of a span.
func all[T any](ctx context.Context, s state, rows span) ([]T, error) {
	var docs []T
	err := s.each(ctx, rows, func(_ string, content []byte) (bool, error) {
		var doc T
		err := json.Unmarshal(content, &doc)
		docs = append(docs, doc)
		return true, err
	})
	return docs, err
}

// piece is how much of a blob one item holds.
const piece = 384 << 10

// putBlob stores bytes under a new id. A blob that nobody refers to, because the server ended before that, is removed by sweepBlobs.
func (s state) putBlob(ctx context.Context, blob string, content []byte) error {
	if _, err := s.putBytes(ctx, id{"blob", blob}, nil, always); err != nil {
		return err
	}
	for n := 0; n*piece < len(content); n++ {
		part := content[n*piece : min((n+1)*piece, len(content))]
		if _, err := s.putBytes(ctx, pieceOf(blob, n), part, always); err != nil {
			return err
		}
	}
	return nil
}

func pieceOf(blob string, n int) id { return id{"blob/" + blob, fmt.Sprintf("%06d", n)} }

// getBlob returns a blob of that size; nil if it is not there.
func (s state) getBlob(ctx context.Context, blob string, size int64) ([]byte, error) {
	content := make([]byte, 0, size)
	for n := 0; int64(len(content)) < size; n++ {
		part, err := s.getBytes(ctx, pieceOf(blob, n))
		if part == nil || err != nil {
			return nil, err
		}
		content = append(content, part...)
	}
	return content, nil
}

// removeBlob removes a blob, the note that there is one last.
func (s state) removeBlob(ctx context.Context, blob string) error {
	for n := 0; ; n++ {
		found, err := s.remove(ctx, pieceOf(blob, n))
		if err != nil {
			return err
		}
		if !found {
			break
		}
	}
	_, err := s.remove(ctx, id{"blob", blob})
	return err
}

// sweepBlobs removes the blobs that are not used.
func (s state) sweepBlobs(ctx context.Context, used map[string]bool) error {
	var lost []string
	err := s.each(ctx, span{pk: "blob"}, func(blob string, _ []byte) (bool, error) {
		if !used[blob] {
			lost = append(lost, blob)
		}
		return true, nil
	})
	for _, blob := range lost {
		if err := s.removeBlob(ctx, blob); err != nil {
			return err
		}
	}
	return err
}
