package attr

// An Arena makes a list of items and holds the memory of them all, which Reset makes available again. The zero Arena is ready.
type Arena struct {
	items []Item
	piece []byte // the last piece of the memory, as far as it is in use
}

// What an Arena keeps for the next list, and how large a piece is made for more than one item.
const (
	keptPiece = 64 << 10
	keptItems = 1 << 10
)

// Begin returns what the bytes of the next item are to be appended to, n at most. more is a guess of how many items of that length
// will follow.
func (a *Arena) Begin(n, more int) []byte {
	if a.items == nil {
		a.items = make([]Item, 0, 1+more)
	}
	if cap(a.piece)-len(a.piece) < n || a.piece == nil {
		a.piece = make([]byte, 0, max(n, min(max(n*(1+more), 2*cap(a.piece)), keptPiece)))
	}
	return a.piece
}

// End makes an item of what has been appended.
func (a *Arena) End(b []byte) {
	a.items = append(a.items, Item(b[len(a.piece):len(b):len(b)]))
	a.piece = b
}

// Items returns the items since the last Reset, until which they are valid.
func (a *Arena) Items() []Item { return a.items }

// Reset empties a. It keeps memory for a list of common size.
func (a *Arena) Reset() {
	clear(a.items) // they hold other pieces
	a.items, a.piece = a.items[:0], a.piece[:0]
	if cap(a.items) > keptItems {
		a.items = nil
	}
	if cap(a.piece) > keptPiece {
		a.piece = nil
	}
}
