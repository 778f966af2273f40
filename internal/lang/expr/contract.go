package expr

import (
	"iter"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Cache keeps parsed expressions by their text. It is safe for concurrent use.
type Cache struct{}

// NewCache returns a cache of at most the given number of expressions.
func NewCache(entries int) *Cache { panic("not built") }

// CheckPresence reports names or values that come without an expression to use them. Bind does so too; it stands alone because
// the attribute values of other members are checked between it and the rest of Bind.
func (r *Request) CheckPresence() error { panic("not built") }

// Bind parses the request's expressions (or finds them parsed), binds them to names and values, and checks them. Faults
// come as *Error in DynamoDB's order: names and values without an expression, the names map, the values map, the
// expressions (update, condition, key condition, filter, projection), unused names, unused values.
func (c *Cache) Bind(r Request) (Bound, error) { panic("not built") }

// A Condition is a bound condition or filter.
type Condition struct{}

// Eval reports whether the item satisfies the condition; nil is no item. It cannot fail.
func (c *Condition) Eval(it attr.Item) bool { panic("not built") }

// Paths ranges over every document path that the condition mentions.
func (c *Condition) Paths() iter.Seq[Path] { panic("not built") }

// An Update is a bound update expression.
type Update struct{}

// Apply returns the item that the update makes of old. It is pure. Where there is no item (old is nil) the result holds
// only what the update sets, and the caller adds the key. Errors are *Error.
func (u *Update) Apply(old attr.Item) (attr.Item, error) { panic("not built") }

// OnlyRemoves reports whether the update does nothing but remove, so that it does not create a missing item.
func (u *Update) OnlyRemoves() bool { panic("not built") }

// Targets returns the paths that the update writes or removes.
func (u *Update) Targets() []Path { panic("not built") }

// Touched returns the targeted paths of it with their parents, as UPDATED_OLD and UPDATED_NEW show the old or the new item;
// nil if there is nothing to show.
func (u *Update) Touched(it attr.Item) attr.Item { panic("not built") }

// Cost returns what the update's actions add to the size that UpdateItem holds against the limit of 400 KB.
func (u *Update) Cost() int { panic("not built") }

// A Projection is a bound projection expression.
type Projection struct{}

// Apply returns the projected paths of it with their parents: empty if none exists, nil only for nil.
func (p *Projection) Apply(it attr.Item) attr.Item { panic("not built") }

// AppendTo appends the projected item to dst.
func (p *Projection) AppendTo(dst []byte, it attr.Item) []byte { panic("not built") }

// Paths returns the projected paths.
func (p *Projection) Paths() []Path { panic("not built") }

// A KeyCondition is a bound key condition: comparisons of distinct top-level attributes with values, in textual order. That
// they suit a key schema is for the planner to check.
type KeyCondition struct{ Conds []KeyCond }

// A KeyCond is one comparison of a key attribute; `:v < a` has become `a > :v`.
type KeyCond struct {
	Name   string
	Op     KeyOp
	Values []attr.Value // two for BETWEEN, else one
}

// A KeyOp is an operator that a key condition can have.
type KeyOp uint8

// The operators.
const (
	EQ KeyOp = iota
	LT
	LE
	GT
	GE
	BETWEEN
	BEGINS_WITH
)

// An Expected is one entry of the legacy Expected map. A nil List is an absent AttributeValueList.
type Expected struct {
	Value      attr.SentValue
	Exists     *bool
	Comparison *string
	List       []attr.SentValue
}

// A Comparison is one entry of KeyConditions, QueryFilter or ScanFilter.
type Comparison struct {
	Operator string
	List     []attr.SentValue
}

// An AttributeUpdate is one entry of AttributeUpdates.
type AttributeUpdate struct {
	Action *string
	Value  attr.SentValue
}

// FromExpected lowers Expected and ConditionalOperator; nil if m has no entries.
func FromExpected(m map[string]Expected, conditionalOperator *string) (*Condition, error) {
	panic("not built")
}

// FromFilter lowers QueryFilter or ScanFilter with ConditionalOperator; nil if m has no entries.
func FromFilter(m map[string]Comparison, conditionalOperator *string) (*Condition, error) {
	panic("not built")
}

// FromKeyConditions lowers KeyConditions; nil if m is nil.
func FromKeyConditions(m map[string]Comparison) (*KeyCondition, error) { panic("not built") }

// FromAttributeUpdates lowers AttributeUpdates; nil if m is nil.
func FromAttributeUpdates(m map[string]AttributeUpdate) (*Update, error) { panic("not built") }

// FromAttributesToGet lowers AttributesToGet; nil if names is nil.
func FromAttributesToGet(names []string) (*Projection, error) { panic("not built") }

// CheckMixing reports legacy members beside expression members. Both lists name the members that are present, in the order
// in which the text prints them.
func CheckMixing(legacy, expressions []string) error { panic("not built") }
