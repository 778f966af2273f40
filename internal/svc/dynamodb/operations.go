package dynamodb

import "github.com/grammedb/gramme/internal/api"

// operations is the one list of the operations that are built. Any other answers UnknownOperationException.
func (s *Service) operations() []*api.Op {
	return []*api.Op{
		// Tables.
		api.Define("CreateTable", s.createTable),
		api.Define("DeleteTable", s.deleteTable),
		api.Define("DescribeTable", s.describeTable),
		api.Define("ListTables", s.listTables),
		api.Define("UpdateTable", s.updateTable),

		// Settings of tables.
		api.Define("DescribeContinuousBackups", s.describeContinuousBackups),
		api.Define("DescribeTimeToLive", s.describeTimeToLive),
		api.Define("UpdateTimeToLive", s.updateTimeToLive),
		api.Define("ListTagsOfResource", s.listTagsOfResource),
		api.Define("TagResource", s.tagResource),
		api.Define("UntagResource", s.untagResource),

		// Kinesis data streams.
		api.Define("DescribeKinesisStreamingDestination", s.describeKinesisStreamingDestination),
		api.Define("DisableKinesisStreamingDestination", s.disableKinesisStreamingDestination),
		api.Define("EnableKinesisStreamingDestination", s.enableKinesisStreamingDestination),
		api.Define("UpdateKinesisStreamingDestination", s.updateKinesisStreamingDestination),

		// The service.
		api.Define("DescribeEndpoints", s.describeEndpoints),
		api.Define("DescribeLimits", s.describeLimits),

		// Items.
		api.Define("BatchGetItem", s.batchGetItem),
		api.Define("BatchWriteItem", s.batchWriteItem),
		api.Quickly(s.InMemory, api.Define("DeleteItem", s.deleteItem)),
		api.Quickly(true, api.Define("GetItem", s.getItem)),
		api.Quickly(s.InMemory, api.Define("PutItem", s.putItem)),
		api.Quickly(s.InMemory, api.Define("UpdateItem", s.updateItem)),

		// Queries.
		api.Define("Query", s.query),
		api.Define("Scan", s.scan),

		// Transactions.
		api.Define("TransactGetItems", s.transactGetItems),
		api.Define("TransactWriteItems", s.transactWriteItems),

		// Statements.
		api.Define("BatchExecuteStatement", s.batchExecuteStatement),
		api.Define("ExecuteStatement", s.executeStatement),
		api.Define("ExecuteTransaction", s.executeTransaction),
	}
}
