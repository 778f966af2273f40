package consumer

import "fmt"

// A Replica is what the records of a stream with both images make of an empty table. It notices when a record is missing or comes twice:
// the old image of each must be what the one before has left.
type Replica map[string]string // images by key

// Take applies a record.
func (t Replica) Take(r Record) error {
	event := "MODIFY"
	switch {
	case r.Old == "" && r.New == "":
		return fmt.Errorf("%w: no image of %s", ErrWrong, r.Key)
	case r.Old == "":
		event = "INSERT"
	case r.New == "":
		event = "REMOVE"
	}
	if r.Event != event {
		return fmt.Errorf("%w: %s of %s from %q to %q", ErrWrong, r.Event, r.Key, r.Old, r.New)
	}
	if was := t[r.Key]; was != r.Old {
		return fmt.Errorf("%w: the item %s was %q, and is changed from %q to %q", ErrWrong, r.Key, was, r.Old, r.New)
	}
	if t[r.Key] = r.New; r.New == "" {
		delete(t, r.Key)
	}
	return nil
}

// Compare reports how the replica differs from a table's items by their keys.
func (t Replica) Compare(items map[string]string) error {
	for key, it := range items {
		if t[key] != it {
			return fmt.Errorf("the stream leaves item %s as %q, the table has %q", key, t[key], it)
		}
	}
	for key, it := range t {
		if _, ok := items[key]; !ok {
			return fmt.Errorf("the stream leaves item %s as %q, the table has none", key, it)
		}
	}
	return nil
}
