package dynamodb

import (
	"errors"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/partiql"
)

var (
	errDuplicateItem = api.Errorf("DuplicateItemException", duplicateText)
	errExists        = api.Invalid("EXISTS can only be used in ExecuteTransaction")
	errIndexNamed    = api.Invalid("Only SELECT statements of ExecuteStatement can name an index")
)

const duplicateText = "Duplicate primary key exists in table"

// bindStatement is the checks that need no table.
func bindStatement(text string, params []attr.SentValue) (*partiql.Bound, error) {
	if err := checkValues(params); err != nil {
		return nil, err
	}
	statement, err := partiql.Parse(text)
	if err != nil {
		return nil, err
	}
	values := make([]attr.Value, len(params))
	for i, p := range params {
		values[i] = p.Value
	}
	return statement.Bind(values)
}

// namesOf returns the names of the key attributes.
func namesOf(s *table.Schema) (names partiql.Schema) {
	for _, a := range s.Partition {
		names.Partition = append(names.Partition, a.Name)
	}
	for _, a := range s.Sort {
		names.Sort = append(names.Sort, a.Name)
	}
	return names
}

var statementKinds = map[partiql.Kind]store.Kind{
	partiql.Insert: store.Put, partiql.Update: store.Update, partiql.Delete: store.Delete, partiql.Exists: store.Check,
}

// planStatement makes a write of a statement that is no SELECT.
func planStatement(d *table.Definition, b *partiql.Bound) (w store.Write, err error) {
	if b.Index != "" {
		return w, errIndexNamed
	}
	point, err := b.Point(namesOf(&d.Schema))
	if err != nil {
		return w, err
	}
	w = store.Write{Kind: statementKinds[b.Kind], Table: d, Item: b.Item, Update: b.Update, Condition: point.Condition,
		WantOld: wantsOld(&b.ReturnValues)}
	if b.Kind == partiql.Insert {
		w.Key, err = keyOfInsert(d, b.Item)
	} else {
		w.Key, err = d.ParseKey(point.Key)
	}
	if err != nil {
		return w, err
	}
	return w, checkWrite(&w)
}

func keyOfInsert(d *table.Definition, it attr.Item) (table.Key, error) {
	if err := checkItemSize(it); err != nil {
		return table.Key{}, err
	}
	k, err := d.KeyOf(it)
	if err != nil {
		return k, err
	}
	return k, d.CheckIndexKeys(it)
}

// returnedBy is the item that RETURNING asks for, nil for none.
func returnedBy(b *partiql.Bound, e store.Effect) attr.Item {
	if b.ReturnValues == "" {
		return nil
	}
	return returned(&b.ReturnValues, b.Update, e)
}

// failure words why a statement did not write: what stands in the way of an INSERT is the item that there is.
func failure(b *partiql.Bound, err error) error {
	if _, ok := errors.AsType[*store.ConditionError](err); ok && b.Kind == partiql.Insert {
		return errDuplicateItem
	}
	return err
}
