package main

// This file says where the service differs from its model. Every entry is behaviour that clients see in a message.

// oldEnums holds the order in which the service's messages list an enumeration, where it is not the model's.
var oldEnums = map[string]string{
	"AttributeAction":         "ADD|PUT|DELETE",
	"BillingMode":             "PROVISIONED|PAY_PER_REQUEST",
	"ComparisonOperator":      "IN|NULL|BETWEEN|LT|NOT_CONTAINS|EQ|GT|NOT_NULL|NE|LE|BEGINS_WITH|GE|CONTAINS",
	"ConditionalOperator":     "OR|AND",
	"ContributorInsightsMode": "THROTTLED_KEYS|ACCESSED_AND_THROTTLED_KEYS",
	"ProjectionType":          "ALL|INCLUDE|KEYS_ONLY",
	"ReturnValue":             "ALL_NEW|UPDATED_OLD|ALL_OLD|NONE|UPDATED_NEW",
	"ScalarAttributeType":     "B|N|S",
	"Select":                  "SPECIFIC_ATTRIBUTES|COUNT|ALL_ATTRIBUTES|ALL_PROJECTED_ATTRIBUTES",
	"StreamViewType":          "OLD_IMAGE|KEYS_ONLY|NEW_AND_OLD_IMAGES|NEW_IMAGE",
}

// checkOrder names the members that are checked first, in this order; the others follow in the model's order.
// Messages list the faults in the order of the checks.
var checkOrder = map[string][]string{
	"AttributeDefinition":     {"AttributeType", "AttributeName"},
	"CreateTableInput":        {"TableName", "KeySchema", "AttributeDefinitions"},
	"DeleteItemInput":         {"TableName", "Key", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ReturnValues"},
	"LocalSecondaryIndex":     {"IndexName", "KeySchema", "Projection"},
	"ProvisionedThroughput":   {"WriteCapacityUnits", "ReadCapacityUnits"},
	"PutItemInput":            {"TableName", "Item", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ReturnValues"},
	"TimeToLiveSpecification": {"AttributeName", "Enabled"},
	"UpdateItemInput":         {"TableName", "Key", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ReturnValues"},
}

// first and last are members that are checked before and after all others wherever they occur: the table's name decides
// where a request goes, and the table class is looked at only by the operation itself.
const (
	first = "TableName"
	last  = "TableClass"
)

const namePattern = "[a-zA-Z0-9_.-]+"

// dataPlane holds the structures whose TableName may be a single character, and is reported alone when it is bad.
var dataPlane = map[string]bool{
	"ConditionCheck": true, "Delete": true, "DeleteItemInput": true, "Get": true, "GetItemInput": true, "Put": true,
	"PutItemInput": true, "QueryInput": true, "ScanInput": true, "Update": true, "UpdateItemInput": true,
}

var (
	dataPlaneName    = tag{opts: "min=1,max=255,arn,alone,pattern=" + namePattern}
	controlPlaneName = tag{
		opts: "min=3,max=255,arn,pattern=" + namePattern,
		more: sentence("absent", "The parameter 'TableName' is required but was not present in the request"),
	}
)

// nameSentences is for members that have a sentence of their own for a bad length, without a prefix.
func nameSentences(member string) string {
	text := member + " must be at least 3 characters long and at most 255 characters long"
	return sentence("short", text) + sentence("long", text)
}

// members holds further differences, by structure and member.
var members = map[string]override{
	// The model asks for neither, the service does; and it knows no table or local index with a third key attribute.
	"CreateTableInput.AttributeDefinitions": {set: "required"},
	"CreateTableInput.KeySchema":            {set: "required,max=2"},
	"LocalSecondaryIndex.KeySchema":         {set: "max=2"},

	// Sentences instead of the constraint form.
	"BatchGetItemInput.RequestItems": {
		more: sentence("short", "The requestItems parameter is required for BatchGetItem"),
		key:  mapKeyName,
	},
	"BatchWriteItemInput.RequestItems": {
		more: sentence("short", "The requestItems parameter is required for BatchWriteItem"),
		key:  mapKeyName,
	},
	"CreateTableInput.TableClass":                      {more: tableClass},
	"UpdateTableInput.TableClass":                      {more: tableClass},
	"CreateGlobalTableInput.GlobalTableName":           {more: nameSentences("TableName")},
	"DescribeGlobalTableInput.GlobalTableName":         {more: nameSentences("TableName")},
	"DescribeGlobalTableSettingsInput.GlobalTableName": {more: nameSentences("TableName")},
	"UpdateGlobalTableInput.GlobalTableName":           {more: nameSentences("TableName")},
	"UpdateGlobalTableSettingsInput.GlobalTableName":   {more: nameSentences("TableName")},
	"RestoreTableFromBackupInput.TargetTableName":      {more: nameSentences("TableName")},
	"RestoreTableToPointInTimeInput.TargetTableName":   {more: nameSentences("TableName")},
	"DescribeContributorInsightsInput.IndexName":       {more: nameSentences("IndexName")},
	"UpdateContributorInsightsInput.IndexName":         {more: nameSentences("IndexName")},

	// Faults that were already told in the newer form, without the value, when the rest was not.
	"KeysAndAttributes.Keys": {set: "modern=max"},
	"QueryInput.Limit":       {set: "modern=min"},

	// Greatest limits that the model of the streams leaves out.
	"DescribeStreamInput.Limit": {set: "max=100"},
	"GetRecordsInput.Limit":     {set: "max=1000"},
	"ListStreamsInput.Limit":    {set: "max=100"},

	// The pattern is told before the length.
	"CreateBackupInput.BackupName":            {set: "patternfirst"},
	"ListTablesInput.ExclusiveStartTableName": {set: "patternfirst"},

	// Limits of the service that its model does not have.
	"CreateFunctionRequest.MemorySize":              {set: "max=10240"},
	"CreateFunctionRequest.Timeout":                 {set: "max=900"},
	"UpdateFunctionConfigurationRequest.MemorySize": {set: "max=10240"},
	"UpdateFunctionConfigurationRequest.Timeout":    {set: "max=900"},

	// The operations have texts of their own for what they do not take.
	"CreateFunctionRequest.Runtime":              {free: true},
	"UpdateFunctionConfigurationRequest.Runtime": {free: true},
	"OnFailure.Destination":                      {free: true},

	// Tags have sentences that the operations tell themselves.
	"Tag.Key":                    {free: true},
	"Tag.Value":                  {free: true},
	"UntagResourceInput.TagKeys": {elemFree: true},
}

var tableClass = sentence("unlisted",
	"Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS].")

const mapKeyName = "min=3,max=255,arn,pattern=" + namePattern

// An override changes the constraints of one member.
type override struct {
	set      string // options that replace or join the model's
	more     string // tags to add
	key      string // instead of the model's constraints on the keys of a map
	free     bool   // no constraints at all
	elemFree bool   // none on the elements
}
