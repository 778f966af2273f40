package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
)

// maxNames is how many names one page of ListTables holds.
const maxNames = 100

func (s *Service) listTables(_ context.Context, c *api.Call, in *ddb.ListTablesInput) (*ddb.ListTablesOutput, error) {
	limit := maxNames
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &ddb.ListTablesOutput{TableNames: []string{}}
	for _, d := range s.Catalog.List(c.Account, c.Region) {
		if in.ExclusiveStartTableName != nil && d.Name <= *in.ExclusiveStartTableName {
			continue
		}
		if len(out.TableNames) == limit {
			out.LastEvaluatedTableName = &out.TableNames[limit-1]
			break
		}
		out.TableNames = append(out.TableNames, d.Name)
	}
	return out, nil
}
