package attr

// A Field is one named value on its way into an Item.
type Field struct {
	Name  string
	Value Value // nil: none; Make leaves it out, Merge removes it
}

// Make returns the item of the fields, which it sorts. Of two with one name the later counts.
func Make(fields ...Field) Item { panic("not built") }

// Merge returns it with the changes made: set where Value is not nil, removed where it is. Names are distinct.
func (it Item) Merge(changes []Field) Item { panic("not built") }

// AppendItem appends it to dst as an M value.
func AppendItem(dst []byte, it Item) []byte { panic("not built") }

// String, Number (plain text of a number), Binary, Boolean, Null, List, Map and Set make values.
func String(s string) Value                       { panic("not built") }
func Number(text string) (Value, error)           { panic("not built") }
func Int(n int64) Value                           { panic("not built") }
func Decimal(form []byte) Value                   { panic("not built") }
func Binary(b []byte) Value                       { panic("not built") }
func Boolean(b bool) Value                        { panic("not built") }
func Null() Value                                 { panic("not built") }
func List(elems ...Value) Value                   { panic("not built") }
func Map(it Item) Value                           { panic("not built") }
func Set(t Type, members ...Value) (Value, error) { panic("not built") } // sorts; refuses duplicates and, with no members, emptiness

// Size returns the bytes that DynamoDB counts for a value (facts: validation, Byte size of a value).
func (v Value) Size() int { panic("not built") }

// Size returns the bytes that DynamoDB counts for an item: its names and values. 409,600 is the most it stores.
func (it Item) Size() int { panic("not built") }

// Compare orders two values of one type S, N or B; ok is false for any other pair.
func Compare(a, b Value) (c int, ok bool) { panic("not built") }

// Valid reports whether b is a well-formed, canonical item. For bytes that come from outside the process.
func Valid(b []byte) bool { panic("not built") }
