package dynamodb

import (
	"errors"
	"strings"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/kinesis"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// Prefixes that many texts share.
const (
	invalidValues = "One or more parameter values were invalid: "
	notValid      = "One or more parameter values are not valid. "
)

// translate turns an error of the database or the language into DynamoDB's. nil is an internal error, which the front
// logs and words.
func translate(err error) *api.Error {
	if text, ok := invalidText(err); ok {
		return api.Invalid("%s", text)
	}
	if e, ok := errors.AsType[*store.ConditionError](err); ok {
		return api.Errorf("ConditionalCheckFailedException", conditionText).With(&ddb.ConditionalCheckFailedException{Item: e.Old})
	}
	if e, ok := errors.AsType[*store.CanceledError](err); ok {
		return canceled(e)
	}
	if e, ok := errors.AsType[*lifecycle.Error](err); ok {
		return refused(e)
	}
	if e, ok := errors.AsType[*lifecycle.QuotaError](err); ok {
		return excess{units: e.Units, write: e.Write, whose: "account", quota: lifecycle.AccountQuota, region: e.Region}.error()
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return k.make()
		}
	}
	return nil
}

const (
	conditionText   = "The conditional request failed"
	noIndexText     = "The table does not have the specified index: "
	conflictText    = "Transaction is ongoing for the item"
	collectionText  = "Collection size exceeded."
	keySchemaText   = "The provided key element does not match the schema"
	itemSizeText    = "Item size has exceeded the maximum allowed size"
	updateSizeText  = "Item size to update has exceeded the maximum allowed size"
	inProgressText  = "The transaction with the given request token is already in progress."
	enableState     = "Table is not in a valid state to enable Kinesis Streaming Destination: " // in answers to updates too
	noKinesisText   = "This server delivers to no Kinesis data stream: it was started without a Kinesis endpoint. Give it one with --kinesis-endpoint"
	tokenReusedText = "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical"
)

// known are the database's plain errors.
var known = []struct {
	err  error
	make func() *api.Error
}{
	{store.ErrTableGone, tableNotFound},
	{store.ErrInTransaction, func() *api.Error { return api.Errorf("TransactionConflictException", conflictText) }},
	{store.ErrCollectionFull, func() *api.Error { return api.Errorf("ItemCollectionSizeLimitExceededException", collectionText) }},
	{store.ErrTokenMismatch, func() *api.Error { return api.Errorf("IdempotentParameterMismatchException", tokenReusedText) }},
	{store.ErrTokenInProgress, func() *api.Error { return api.Errorf("TransactionInProgressException", inProgressText) }},
	{kinesis.ErrNoEndpoint, func() *api.Error { return api.Invalid("%s", noKinesisText) }},
	{kinesis.ErrEnabled, func() *api.Error {
		return api.Invalid(enableState + "EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE operation.")
	}},
	{kinesis.ErrNotActive, func() *api.Error {
		return api.Invalid("Table is not in a valid state to disable Kinesis Streaming Destination: KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.")
	}},
	{kv.ErrNoSpace, func() *api.Error {
		return api.Throttled("The disk is nearly full: writes are refused until there is room again; deletes are served.")
	}},
}

func tableNotFound() *api.Error {
	return api.Errorf("ResourceNotFoundException", "Requested resource not found")
}

// invalidText is the text of a ValidationException, or of a ValidationError among a transaction's reasons.
func invalidText(err error) (string, bool) {
	switch {
	case errors.Is(err, store.ErrItemTooLarge):
		return itemSizeText, true
	case errors.Is(err, store.ErrUpdateTooLarge):
		return updateSizeText, true
	}
	if e, ok := errors.AsType[*expr.Error](err); ok {
		return e.Text, true
	}
	if e, ok := errors.AsType[*attr.Error](err); ok {
		return e.Text, true
	}
	if e, ok := errors.AsType[*table.KeyError](err); ok {
		return keyText(e), true
	}
	if e, ok := errors.AsType[*query.KeyConditionError](err); ok {
		return keyConditionText(e), true
	}
	if e, ok := errors.AsType[*query.IndexGoneError](err); ok {
		return noIndexText + e.Index, true
	}
	if e, ok := errors.AsType[*api.Error](err); ok && e.Code == "ValidationException" {
		return e.Message, true
	}
	return "", false
}

func keyText(e *table.KeyError) string {
	switch {
	case e.Updated:
		return updatedKeyText(e)
	case e.Fault == table.FaultMissing:
		return invalidValues + "Missing the key " + e.Attribute + " in the item"
	case e.Fault == table.FaultType && e.Index != "":
		return invalidValues + "Type mismatch for Index Key " + e.Attribute + " Expected: " + e.Want.String() + " Actual: " + e.Got.String() + " IndexName: " + e.Index
	case e.Fault == table.FaultType:
		return invalidValues + "Type mismatch for key " + e.Attribute + " expected: " + e.Want.String() + " actual: " + e.Got.String()
	case e.Fault == table.FaultEmpty && e.Index != "":
		return notValid + "A value specified for a secondary index key is not supported. " + emptyText(e.Want) + " IndexName: " + e.Index + ", IndexKey: " + e.Attribute
	case e.Fault == table.FaultEmpty:
		return notValid + emptyText(e.Want) + " Key: " + e.Attribute
	case e.Fault == table.FaultLong:
		return longText(e.Sort)
	}
	return keySchemaText
}

// updatedKeyText is for an index key to which an update gave what it cannot be.
func updatedKeyText(e *table.KeyError) string {
	switch e.Fault {
	case table.FaultEmpty:
		return notValid + "The update expression attempted to update a secondary index key to a value that is not supported. " + emptyText(e.Want)
	case table.FaultLong:
		return "The update expression attempted to update the secondary index key beyond allowed size limits"
	}
	return "The update expression attempted to update the secondary index key to unsupported type"
}

func emptyText(t attr.Type) string {
	kind := "string"
	if t == attr.B {
		kind = "binary"
	}
	return "The AttributeValue for a key attribute cannot contain an empty " + kind + " value."
}

func longText(sort bool) string {
	if sort {
		return invalidValues + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
	}
	return invalidValues + "Size of hashkey has exceeded the maximum size limit of2048 bytes" // no space, as on the service
}

func keyConditionText(e *query.KeyConditionError) string {
	switch e.Mistake {
	case query.MissedKey:
		return "Query condition missed key schema element: " + e.Attribute
	case query.WrongType:
		return invalidValues + "Condition parameter type does not match schema type"
	case query.NotIndexable:
		return "Attempted conditional constraint is not an indexable operation"
	case query.EmptyValue:
		return notValid + emptyText(e.Want) + " Key: " + e.Attribute
	case query.TooLong:
		return longText(e.Sort)
	}
	return "Query key condition not supported"
}

// canceled makes the error of a transaction that did nothing.
func canceled(e *store.CanceledError) *api.Error {
	reasons := make([]ddb.CancellationReason, len(e.Reasons))
	codes := make([]string, len(e.Reasons))
	for i, err := range e.Reasons {
		reasons[i] = reason(err)
		codes[i] = *reasons[i].Code
	}
	return api.Errorf("TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", ")).
		With(&ddb.TransactionCanceledException{CancellationReasons: reasons})
}

// reason words why one action stood in the way of its transaction.
func reason(err error) ddb.CancellationReason {
	make := func(code, message string) ddb.CancellationReason {
		return ddb.CancellationReason{Code: &code, Message: &message}
	}
	if e, ok := errors.AsType[*store.ConditionError](err); ok {
		r := make("ConditionalCheckFailed", conditionText)
		r.Item = e.Old
		return r
	}
	if text, ok := invalidText(err); ok {
		return make("ValidationError", text)
	}
	switch {
	case err == errDuplicateItem:
		return make("DuplicateItem", duplicateText)
	case errors.Is(err, store.ErrInTransaction):
		return make("TransactionConflict", conflictText)
	case errors.Is(err, store.ErrCollectionFull):
		return make("ItemCollectionSizeLimitExceeded", collectionText)
	}
	none := "None"
	return ddb.CancellationReason{Code: &none}
}
