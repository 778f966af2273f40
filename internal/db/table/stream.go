package table

import (
	"slices"
	"time"
)

// The states of a stream, spelled as in the API.
const (
	Enabling  Status = "ENABLING"
	Enabled   Status = "ENABLED"
	Disabling Status = "DISABLING"
	Disabled  Status = "DISABLED"
)

// A Stream shows clients the table's log, from the moment at which it was enabled to that at which it was disabled. A table has at
// most one that is not DISABLED or on its way there.
type Stream struct {
	View    string // KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES
	Status  Status
	Created time.Time
	Ended   time.Time `json:",omitzero"`
}

// labelLayout is how a stream's label is made of the time at which it was created, which no other stream of the table has.
const labelLayout = "2006-01-02T15:04:05.000"

// Label returns what tells the stream from others of its table.
func (s *Stream) Label() string { return s.Created.UTC().Format(labelLayout) }

// Covers reports whether the stream has the records of the shard.
func (s *Stream) Covers(sh *Shard) bool {
	return !sh.Opened.Before(s.Created) && (s.Ended.IsZero() || sh.Opened.Before(s.Ended))
}

// Stream returns the stream that is enabled or about to be, nil if there is none.
func (d *Definition) Stream() *Stream {
	if n := len(d.Streams); n > 0 && d.Streams[n-1].Ended.IsZero() {
		return &d.Streams[n-1]
	}
	return nil
}

// StreamLabelled returns the stream with that label, nil if there is none.
func (d *Definition) StreamLabelled(label string) *Stream {
	for i := range d.Streams {
		if d.Streams[i].Label() == label {
			return &d.Streams[i]
		}
	}
	return nil
}

// StreamARN returns the ARN of the stream with that label.
func (d *Definition) StreamARN(label string) string { return d.ARN() + "/stream/" + label }

// EnableStream begins a stream. REQUIRES: no stream is enabled.
func (d *Definition) EnableStream(view string, now time.Time) {
	s := Stream{View: view, Status: Enabling, Created: d.BeginLog(now)}
	d.Streams = append(slices.Clip(d.Streams), s)
	d.LatestStream = s.Label()
}

// DisableStream ends the stream that is enabled. The log goes on where somebody else follows it. REQUIRES: a stream is enabled.
func (d *Definition) DisableStream(now time.Time) {
	d.Streams = slices.Clone(d.Streams)
	s := d.Stream()
	if len(d.Followers) > 0 {
		s.Ended = d.BeginLog(now)
	} else {
		s.Ended = d.Log.Stop(now)
	}
	s.Status = Disabling
}

// SettleStreams ends the states in between.
func (d *Definition) SettleStreams() {
	d.Streams = slices.Clone(d.Streams)
	for i := range d.Streams {
		switch s := &d.Streams[i]; s.Status {
		case Enabling:
			s.Status = Enabled
		case Disabling:
			s.Status = Disabled
		}
	}
}

// Retire ends what a table that is deleted has of a log. Followers read on.
func (d *Definition) Retire(now time.Time) {
	if d.Stream() != nil {
		d.DisableStream(now)
	}
	if len(d.Log.Open) > 0 {
		d.Log.Stop(now)
	}
	d.SettleStreams()
	d.Status = Deleted
}
