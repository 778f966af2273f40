package memkv_test

import (
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/kvtest"
	"github.com/grammedb/gramme/internal/kv/memkv"
)

func TestEngine(t *testing.T) {
	kvtest.Run(t, func(*testing.T) kv.Engine { return memkv.Open() })
}
