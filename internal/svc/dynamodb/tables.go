package dynamodb

import (
	"strings"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/table"
)

// name resolves what a request calls a table: a bare name or the table's ARN.
func (s *Service) name(c *api.Call, tableName string) table.Name {
	if i := strings.LastIndex(tableName, ":table/"); i >= 0 && strings.HasPrefix(tableName, "arn:") {
		tableName = tableName[i+len(":table/"):]
	}
	return table.Name{Account: c.Account, Region: c.Region, Table: tableName}
}

// open finds the table that a data operation is about. It must not be on its way in or out.
func (s *Service) open(c *api.Call, tableName *string) (*table.Definition, error) {
	d := s.Catalog.Get(s.name(c, *tableName))
	if d == nil || d.Status == table.Creating || d.Status == table.Deleting {
		return nil, tableNotFound()
	}
	return d, nil
}
