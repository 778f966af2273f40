package lambda

import (
	"strings"

	"github.com/grammedb/gramme/internal/api"
)

// A reference is what a client calls a function.
type reference struct{ region, account, name, qualifier string }

// latest is the one version that functions have.
const latest = "$LATEST"

// parse reads a name, with a qualifier or not, a partial ARN or an ARN. Absent parts are those of the call.
func parse(c *api.Call, text string) reference {
	r := reference{region: c.Region, account: c.Account}
	parts := strings.Split(text, ":")
	if len(parts) >= 7 && parts[0] == "arn" {
		r.region, r.account, parts = parts[3], parts[4], parts[6:]
	} else {
		for i, part := range parts {
			if part == "function" && i+1 < len(parts) {
				if i > 0 {
					r.account = parts[i-1]
				}
				parts = parts[i+1:]
				break
			}
		}
	}
	r.name = parts[0]
	if len(parts) > 1 {
		r.qualifier = parts[1]
	}
	return r
}

// arn returns the ARN of the function, with the qualifier if there is one.
func (r reference) arn() string {
	arn := "arn:aws:lambda:" + r.region + ":" + r.account + ":function:" + r.name
	if r.qualifier != "" {
		arn += ":" + r.qualifier
	}
	return arn
}

// refer reads what a call says of a function. qualifier may be nil.
func refer(c *api.Call, text string, qualifier *string) (reference, error) {
	r := parse(c, text)
	switch {
	case qualifier != nil && r.qualifier != "" && r.qualifier != *qualifier:
		return r, invalid("The derived qualifier from the function name does not match the specified qualifier.")
	case qualifier != nil:
		r.qualifier = *qualifier
	}
	switch {
	case r.region != c.Region:
		return r, notFound("Functions from '%s' are not reachable in this region ('%s')", r.region, c.Region)
	case r.account != c.Account:
		return r, api.AccessDenied("User: %s is not authorized to perform: lambda:%s on resource: %s because no resource-based policy "+
			"allows the lambda:%[2]s action", c.Principal.ARN, c.Op.Name, r.arn())
	case r.qualifier != "" && r.qualifier != latest:
		return r, functionNotFound(r.arn())
	}
	return r, nil
}

// arnParts returns region and account of the ARN of a table's stream.
func arnParts(arn string) (region, account string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "dynamodb" || !strings.HasPrefix(parts[5], "table/") || !strings.Contains(parts[5], "/stream/") {
		return "", "", false
	}
	return parts[3], parts[4], true
}
