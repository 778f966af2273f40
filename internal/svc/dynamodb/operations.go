package dynamodb

import "github.com/grammedb/gramme/internal/api"

// operations is the one list of the operations that are built. Any other answers UnknownOperationException.
func (s *Service) operations() []*api.Op {
	return []*api.Op{
		// Tables.

		// Items.
		api.Define("BatchGetItem", s.batchGetItem),
		api.Define("BatchWriteItem", s.batchWriteItem),
		api.Define("DeleteItem", s.deleteItem),
		api.Define("GetItem", s.getItem),
		api.Define("PutItem", s.putItem),
		api.Define("UpdateItem", s.updateItem),

		// Queries.
		api.Define("Query", s.query),
		api.Define("Scan", s.scan),

		// Transactions.
		api.Define("TransactGetItems", s.transactGetItems),
		api.Define("TransactWriteItems", s.transactWriteItems),
	}
}
