package attr

// A SentItem is a map of attribute values as a client sent it. Its JSON was well formed and of the right types; whether
// it is a map of attribute values is told by Check, when its turn in the order of checks comes. Until then its names can be
// relied upon, and a faulty value reads as NULL.
type SentItem struct {
	Item Item // nil: the member was absent
	err  *Error
}

// Sent returns a SentItem without a fault; nil for an absent one.
func Sent(it Item) SentItem { return SentItem{Item: it} }

// Present reports whether the member was there at all.
func (s SentItem) Present() bool { return s.Item != nil }

// Check returns the first fault found in the values, nil if there is none.
func (s SentItem) Check() *Error { return s.err }

// A SentValue is one attribute value as a client sent it; see SentItem. A faulty one reads as NULL.
type SentValue struct {
	Value Value // nil: the member was absent
	err   *Error
}

// SentOf returns a SentValue without a fault; nil for an absent one.
func SentOf(v Value) SentValue { return SentValue{Value: v} }

// Present reports whether the member was there at all.
func (s SentValue) Present() bool { return s.Value != nil }

// Check returns the first fault found in the value, nil if there is none.
func (s SentValue) Check() *Error { return s.err }
