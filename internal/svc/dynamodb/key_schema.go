package dynamodb

import (
	"slices"
	"strings"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// maxIndexKeys is how many partition attributes, and how many sort attributes, a global index may have.
const maxIndexKeys = 4

// attributeTypes are the types of key attributes as a request declares them.
type attributeTypes struct {
	names []string // in the order sent
	types map[string]attr.Type
}

var keyTypes = map[string]attr.Type{"S": attr.S, "N": attr.N, "B": attr.B}

func declaredTypes(defs []ddb.AttributeDefinition) (*attributeTypes, error) {
	t := &attributeTypes{types: map[string]attr.Type{}}
	for _, d := range defs {
		if _, ok := t.types[*d.AttributeName]; ok {
			return nil, api.Invalid("Attribute Name is duplicated: %s", *d.AttributeName)
		}
		t.names = append(t.names, *d.AttributeName)
		t.types[*d.AttributeName] = keyTypes[*d.AttributeType]
	}
	return t, nil
}

// tableSchema checks the key schema of a table.
func (t *attributeTypes) tableSchema(keys []ddb.KeySchemaElement) (table.Schema, error) {
	undefined := t.undefined(keys)
	switch {
	case len(keys) > len(t.names), len(keys) == 2 && undefined == 1:
		return table.Schema{}, api.Invalid("Invalid KeySchema: Some index key attribute have no definition")
	case undefined > 0:
		return table.Schema{}, t.undefinedError(keys)
	}
	return t.schema(keys), checkPair(keys)
}

// localSchema checks the key schema of a local index.
func (t *attributeTypes) localSchema(index string, keys []ddb.KeySchemaElement, of table.Schema) (table.Schema, error) {
	if len(of.Sort) == 0 {
		return table.Schema{}, invalid("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	}
	if t.undefined(keys) > 0 {
		return table.Schema{}, t.undefinedError(keys)
	}
	if err := checkPair(keys); err != nil {
		return table.Schema{}, err
	}
	if len(keys) < 2 {
		return table.Schema{}, invalid("Index KeySchema does not have a range key for index: %s", index)
	}
	if hash, own := of.Partition[0].Name, *keys[0].AttributeName; hash != own {
		return table.Schema{}, invalid("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. "+
			"index hash key: %s, table hash key: %s", index, own, hash)
	}
	return t.schema(keys), nil
}

// globalSchema checks the key schema of a global index, which may have several attributes of each kind.
func (t *attributeTypes) globalSchema(keys []ddb.KeySchemaElement) (table.Schema, error) {
	if t.undefined(keys) > 0 {
		return table.Schema{}, t.undefinedError(keys)
	}
	s := t.schema(keys)
	var err error
	switch {
	case len(keys) <= 2 && len(s.Partition) == 1:
		err = checkPair(keys)
	case !isHash(keys[0]):
		err = errFirstNotHash()
	case !hashesFirst(keys):
		err = invalid("All HASH key attributes must precede RANGE key attributes in the KeySchema")
	case len(s.Partition) > maxIndexKeys:
		err = invalid("The KeySchema exceeds the maximum allowed number of HASH key attributes")
	case len(s.Sort) > maxIndexKeys:
		err = invalid("The KeySchema exceeds the maximum allowed number of RANGE key attributes")
	case repeats(keys):
		err = api.Invalid("The KeySchema contains multiple key attributes with the same name")
	}
	return s, err
}

func (t *attributeTypes) schema(keys []ddb.KeySchemaElement) (s table.Schema) {
	for _, k := range keys {
		a := table.Attribute{Name: *k.AttributeName, Type: t.types[*k.AttributeName]}
		if isHash(k) {
			s.Partition = append(s.Partition, a)
		} else {
			s.Sort = append(s.Sort, a)
		}
	}
	return s
}

// undefined counts the keys whose types are not declared.
func (t *attributeTypes) undefined(keys []ddb.KeySchemaElement) (n int) {
	for _, k := range keys {
		if _, ok := t.types[*k.AttributeName]; !ok {
			n++
		}
	}
	return n
}

func (t *attributeTypes) undefinedError(keys []ddb.KeySchemaElement) error {
	return invalid("Some index key attributes are not defined in AttributeDefinitions. Keys: %s, AttributeDefinitions: %s",
		bracketed(keyNames(keys)), bracketed(t.names))
}

// checkAllUsed refuses declarations of attributes that are no keys of the table.
func (t *attributeTypes) checkAllUsed(d *table.Definition) error {
	used := d.Attributes()
	if len(used) == len(t.names) {
		return nil
	}
	if len(d.Indexes) == 0 {
		return invalid("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	var names []string
	for _, a := range used {
		names = append(names, a.Name)
	}
	return invalid("Some AttributeDefinitions are not used. AttributeDefinitions: %s, keys used: %s", bracketed(t.names), bracketed(names))
}

// checkPair checks the order of a key of one partition attribute and at most one sort attribute.
func checkPair(keys []ddb.KeySchemaElement) error {
	switch {
	case !isHash(keys[0]):
		return errFirstNotHash()
	case len(keys) < 2:
		return nil
	case isHash(keys[1]):
		return api.Invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	case repeats(keys):
		return api.Invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	}
	return nil
}

func errFirstNotHash() error {
	return api.Invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
}

func isHash(k ddb.KeySchemaElement) bool { return *k.KeyType == "HASH" }

func hashesFirst(keys []ddb.KeySchemaElement) bool {
	n := slices.IndexFunc(keys, func(k ddb.KeySchemaElement) bool { return !isHash(k) })
	return n < 0 || !slices.ContainsFunc(keys[n:], isHash)
}

func repeats(keys []ddb.KeySchemaElement) bool {
	names := keyNames(keys)
	slices.Sort(names)
	return len(slices.Compact(names)) < len(keys)
}

func keyNames(keys []ddb.KeySchemaElement) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = *k.AttributeName
	}
	return names
}

// bracketed prints a list as the service does.
func bracketed(list []string) string { return "[" + strings.Join(list, ", ") + "]" }

// invalid makes a ValidationException about parameter values.
func invalid(format string, args ...any) *api.Error {
	return api.Invalid(invalidValues+format, args...)
}
