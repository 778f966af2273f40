package dynamodb

import (
	"strings"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/table"
)

// tableName resolves what a request about a table calls it: a name, or an ARN, which must be that of a table here.
func tableName(c *api.Call, sent string) (table.Name, error) {
	if !strings.HasPrefix(sent, "arn:") {
		return table.Name{Account: c.Account, Region: c.Region, Table: sent}, nil
	}
	name, ok := tableOfARN(c, sent)
	if !ok {
		return table.Name{}, api.Invalid("Invalid TableArn: Invalid ResourceArn provided as input %s", sent)
	}
	return name, nil
}

// tableOfARN reads the ARN of a table in the call's account and region.
func tableOfARN(c *api.Call, arn string) (table.Name, bool) {
	name, ok := strings.CutPrefix(arn, "arn:aws:dynamodb:"+c.Region+":"+c.Account+":table/")
	return table.Name{Account: c.Account, Region: c.Region, Table: name}, ok && isName(name)
}

// isName reports whether a table can have that name.
func isName(s string) bool {
	return len(s) >= 3 && len(s) <= 255 && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-')
	}) < 0
}

// lookUp finds the table that a request is about, in whatever state.
func (s *Service) lookUp(c *api.Call, sent string) (*table.Definition, error) {
	name, err := tableName(c, sent)
	if err != nil {
		return nil, err
	}
	d := s.Catalog.Get(name)
	if d == nil {
		return nil, &lifecycle.Error{Table: name.Table, Reason: lifecycle.Missing}
	}
	return d, nil
}
