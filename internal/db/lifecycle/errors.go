package lifecycle

import "fmt"

// An Error says why a change of a table is refused.
type Error struct {
	Table  string
	Reason Reason
}

func (e *Error) Error() string { return fmt.Sprintf("lifecycle: table %s: %s", e.Table, e.Reason) }

// A Reason is why a change is refused.
type Reason string

// The reasons.
const (
	Missing            Reason = "does not exist"
	Exists             Reason = "exists"
	BeingCreated       Reason = "is being created"
	BeingUpdated       Reason = "is being updated"
	BeingDeleted       Reason = "is being deleted"
	ThroughputChanging Reason = "is being given other throughput"
	IndexesChanging    Reason = "has indexes that are being created, updated or deleted" // so it cannot be deleted
	TagsChanging       Reason = "is being given other tags"                              // so it cannot be deleted
	StreamChanging     Reason = "has a stream that is being enabled or disabled"         // so it cannot be deleted
	OneIndex           Reason = "can create or delete one index at a time"
	OneTagging         Reason = "can be given other tags once at a time"
	Protected          Reason = "is protected against deletion"
)
