package dynamodb

import (
	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/lifecycle"
)

// refused words why a table is not changed.
func refused(e *lifecycle.Error) *api.Error {
	switch e.Reason {
	case lifecycle.Missing:
		return api.Errorf("ResourceNotFoundException", "Requested resource not found: Table: %s not found", e.Table)
	case lifecycle.Exists:
		return api.Errorf("ResourceInUseException", "Table already exists: %s", e.Table)
	case lifecycle.BeingCreated:
		return inUse("Table is being created: %s", e.Table)
	case lifecycle.BeingUpdated:
		return inUse("Table: %s is in the process of being updated.", e.Table)
	case lifecycle.BeingDeleted:
		return inUse("Table is being deleted: %s", e.Table)
	case lifecycle.ThroughputChanging:
		return inUse("Table IOPS are currently being updated. Table: %s", e.Table)
	case lifecycle.TagsChanging:
		return inUse("Table tags are being updated: %s", e.Table)
	case lifecycle.OneTagging:
		return limitExceeded("Table tags are being updated: %s", e.Table)
	case lifecycle.IndexesChanging:
		return inUse("Cannot delete table while indexes are being created, updated, or deleted.")
	case lifecycle.StreamChanging:
		return inUse("Cannot delete table while stream is being enabled/disabled.")
	case lifecycle.OneIndex:
		return limitExceeded("Only 1 online index can be created or deleted simultaneously per table")
	case lifecycle.Protected:
		return api.Invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	return nil
}

func inUse(format string, args ...any) *api.Error {
	return api.Errorf("ResourceInUseException", "Attempt to change a resource which is still in use: "+format, args...)
}

func limitExceeded(format string, args ...any) *api.Error {
	return api.Errorf("LimitExceededException", "Subscriber limit exceeded: "+format, args...)
}
