package dynamodb

import (
	"slices"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

// defineStream gives a new table the stream that it is to have.
func defineStream(d *table.Definition, sent *ddb.StreamSpecification) error {
	switch {
	case sent == nil:
		return nil
	case *sent.StreamEnabled && sent.StreamViewType == nil:
		return invalid("Table is being created with a stream enabled, UpdateViewType is required")
	case !*sent.StreamEnabled && sent.StreamViewType != nil:
		return invalid("Table is being created with a stream disabled, UpdateViewType should not be specified")
	case *sent.StreamEnabled:
		d.Streams = []table.Stream{{View: *sent.StreamViewType}}
	}
	return nil
}

// checkStream checks the form of a change of the stream.
func checkStream(sent *ddb.StreamSpecification) error {
	switch {
	case sent == nil:
		return nil
	case *sent.StreamEnabled && sent.StreamViewType == nil:
		return invalid("If stream is being enabled then UpdateViewType is required")
	case !*sent.StreamEnabled && sent.StreamViewType != nil:
		return invalid("If stream is being disabled, then UpdateViewType must not be specified")
	}
	return nil
}

// changeStream enables a stream or disables the one there is.
func (u *tableUpdate) changeStream(d *table.Definition) error {
	sent := u.in.StreamSpecification
	switch {
	case sent == nil:
		return nil
	case *sent.StreamEnabled && d.Stream() != nil:
		return api.Invalid("Table already has an enabled stream: TableName: %s", d.Name)
	case *sent.StreamEnabled:
		d.Streams = append(slices.Clip(d.Streams), table.Stream{View: *sent.StreamViewType})
		return nil
	case d.Stream() == nil:
		return api.Invalid("Table has no stream to disable: TableName: %s", d.Name)
	}
	d.Streams = slices.Clone(d.Streams)
	d.Stream().Status = table.Disabling
	return nil
}

// showStream tells of the stream that is enabled, and of the latest one there was.
func showStream(td *ddb.TableDescription, d *table.Definition) {
	if s := d.Stream(); s != nil {
		td.StreamSpecification = &ddb.StreamSpecification{StreamEnabled: new(true), StreamViewType: new(s.View)}
	}
	if d.LatestStream != "" {
		td.LatestStreamLabel, td.LatestStreamArn = new(d.LatestStream), new(d.StreamARN(d.LatestStream))
	}
}
