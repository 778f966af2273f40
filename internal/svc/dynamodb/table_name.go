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
	return tableOfARN(c, sent)
}

// tableOfARN reads the ARN of a table in the call's account and region. Another account's tables have no policy that would
// let the caller in.
func tableOfARN(c *api.Call, arn string) (table.Name, error) {
	rest, ok := strings.CutPrefix(arn, "arn:aws:dynamodb:"+c.Region+":")
	account, resource, _ := strings.Cut(rest, ":")
	name, isTable := strings.CutPrefix(resource, "table/")
	switch {
	case !ok || !isTable || !isName(name) || !isAccount(account):
		return table.Name{}, api.Invalid("Invalid TableArn: Invalid ResourceArn provided as input %s", arn)
	case account != c.Account:
		return table.Name{}, api.AccessDenied("User: %s is not authorized to perform: dynamodb:%s on resource: %s "+
			"because no resource-based policy allows the dynamodb:%[2]s action", c.Principal.ARN, c.Op.Name, arn)
	}
	return table.Name{Account: account, Region: c.Region, Table: name}, nil
}

// isName reports whether a table can have that name.
func isName(s string) bool {
	return len(s) >= 3 && len(s) <= 255 && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-')
	}) < 0
}

// isAccount reports whether s has the form of an account's number.
func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
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
