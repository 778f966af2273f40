package expr

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

func (c *Cache) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries.Len()
}

func TestCacheKeepsWhatWasUsedLast(t *testing.T) {
	c := NewCache(2)
	parse := func(text string) *parsed {
		p, err := c.parse(projectionKind, text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	a, b := parse("a"), parse("b")
	if parse("a") != a || parse("b") != b {
		t.Fatal("not kept")
	}
	parse("a")
	parse("c")
	if parse("a") != a {
		t.Fatal("dropped what was used last")
	}
	if parse("b") == b {
		t.Fatal("kept more than two")
	}
}

func TestCacheTellsKindsApart(t *testing.T) {
	c := NewCache(10)
	for range 2 {
		for _, k := range []kind{conditionKind, filterKind, keyConditionKind} {
			p, err := c.parse(k, "a = :a")
			if err != nil || p.kind != k {
				t.Fatalf("%v: %v %v", k, p, err)
			}
		}
		if _, err := c.parse(updateKind, "a = :a"); err == nil {
			t.Fatal("a condition taken for an update")
		}
	}
}

func TestCacheDoesNotKeepFaults(t *testing.T) {
	c := NewCache(10)
	for range 2 {
		if _, err := c.parse(projectionKind, "a,"); err == nil {
			t.Fatal("no error")
		}
	}
	if c.len() != 0 || c.text != 0 {
		t.Fatalf("%d entries, %d bytes", c.len(), c.text)
	}
}

// TestCacheBoundsText fills a cache with texts of the greatest length.
func TestCacheBoundsText(t *testing.T) {
	c := NewCache(100)
	for i := range 300 {
		text := fmt.Sprintf("a%d", i)
		if i < 200 {
			text += strings.Repeat("x", maxText-len(text))
		}
		if _, err := c.parse(projectionKind, text); err != nil {
			t.Fatal(err)
		}
		if c.text > c.maxText {
			t.Fatalf("%d bytes of text, at most %d", c.text, c.maxText)
		}
	}
	if c.len() != 100 {
		t.Fatalf("%d entries", c.len())
	}
	sum := 0
	for _, k := range c.entries.Keys() {
		sum += len(k.text)
	}
	if sum != c.text {
		t.Fatalf("counts %d bytes, holds %d", c.text, sum)
	}
}

func TestCacheOfNothing(t *testing.T) {
	for _, n := range []int{0, -1, 1} {
		c := NewCache(n)
		for range 3 {
			p, err := c.parse(projectionKind, strings.Repeat("a", 1000))
			if err != nil || len(p.paths) != 1 {
				t.Fatalf("%v %v", p, err)
			}
		}
	}
}

// TestCacheCopiesTexts reuses the buffer that a text was in.
func TestCacheCopiesTexts(t *testing.T) {
	c := NewCache(10)
	buffer := []byte("seven")
	p, err := c.parse(projectionKind, unsafe.String(&buffer[0], len(buffer)))
	if err != nil {
		t.Fatal(err)
	}
	copy(buffer, "other")
	if again, _ := c.parse(projectionKind, "seven"); again != p || p.paths[0][0].Name != "seven" {
		t.Fatalf("the cached text has become %q", p.text)
	}
}

func TestCacheIsSafeForConcurrentUse(t *testing.T) {
	c := NewCache(8)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				name := fmt.Sprintf("a%d", (g+i)%16)
				b, err := c.Bind(Request{Projection: &name})
				if err != nil || b.Projection.Paths()[0][0].Name != name {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
}
