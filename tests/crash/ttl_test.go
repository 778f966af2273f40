package crash

import (
	"context"
	"fmt"
	"time"

	"github.com/grammedb/gramme/tests/consumer"
)

const mortalTable = "Mortal" // pk S; its items expire by expires; global index by holder; a stream

func makeMortalTable(c *client) error {
	err := makeTable(c, object{
		"TableName": mortalTable, "BillingMode": "PAY_PER_REQUEST", "KeySchema": keys("pk"),
		"AttributeDefinitions":   definitions("pk", "S", "holder", "S"),
		"GlobalSecondaryIndexes": []any{index("ByHolder", "holder")},
		"StreamSpecification":    object{"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
	})
	if err != nil {
		return err
	}
	_, err = c.call("UpdateTimeToLive", object{"TableName": mortalTable, "TimeToLiveSpecification": object{"Enabled": true, "AttributeName": "expires"}})
	return err
}

// A mortal puts items of which every other one has expired already. The server deletes those when it starts, and is killed while it
// does.
type mortal struct {
	count   int // acknowledged
	checked int // of them, in earlier checks
}

func (m *mortal) key(n int) object { return object{"pk": str(fmt.Sprintf("%06d", n))} }

func (m *mortal) expires(n int) bool { return n%2 == 1 }

func (m *mortal) work(c *client) error {
	for {
		var requests []any
		for n := m.count; n < m.count+20; n++ {
			it, until := m.key(n), time.Now().Add(time.Hour)
			if m.expires(n) {
				until = time.Now().Add(-time.Hour)
			}
			it["holder"], it["expires"] = str(fmt.Sprint("holder", n%3)), num(int(until.Unix()))
			requests = append(requests, object{"PutRequest": object{"Item": it}})
		}
		if _, err := c.call("BatchWriteItem", object{"RequestItems": object{mortalTable: requests}}); err != nil {
			return err
		}
		m.count += 20
	}
}

// check finds what has not expired; what has may be there still.
func (m *mortal) check(c *client) error {
	for m.checked < m.count { // in whole batches, as they were put
		var wanted []any
		first := m.checked
		for ; m.checked < min(m.count, first+200); m.checked++ {
			if !m.expires(m.checked) {
				wanted = append(wanted, m.key(m.checked))
			}
		}
		out, err := c.call("BatchGetItem", object{"RequestItems": object{mortalTable: object{"Keys": wanted}}})
		if err != nil {
			return err
		}
		if found, _ := at(out, "Responses", mortalTable).([]any); len(found) != len(wanted) {
			return fmt.Errorf("mortal: of items %d to %d %d are gone before they have expired", first, m.checked, len(wanted)-len(found))
		}
	}
	return nil
}

// finish waits until everything that has expired is gone, and sees that the rest is there and that the stream tells of each
// deletion once, and by whom it was.
func (m *mortal) finish(c *client) error {
	in := object{"TableName": mortalTable, "FilterExpression": "expires < :now", "ExpressionAttributeValues": object{":now": num(int(time.Now().Unix()))}}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) { // polling is what a client has
		expired, err := c.pages("Scan", in)
		if err != nil {
			return err
		}
		if len(expired) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("mortal: %d expired items are still there", len(expired))
		}
		delete(in, "ExclusiveStartKey")
	}
	items, err := c.pages("Scan", object{"TableName": mortalTable})
	if err != nil {
		return err
	}
	want := map[string]string{}
	for _, it := range items {
		want[text(object{"pk": at(it, "pk")})] = text(it)
	}
	if len(want) < m.count/2 {
		return fmt.Errorf("mortal: %d items, want %d", len(want), m.count/2)
	}
	return m.compareStream(c, want)
}

func (m *mortal) compareStream(c *client, want map[string]string) error {
	out, err := c.call("DescribeTable", object{"TableName": mortalTable})
	if err != nil {
		return err
	}
	arn, _ := at(out, "Table", "LatestStreamArn").(string)
	replica, removed := consumer.Replica{}, 0
	err = consumer.New().Drain(context.Background(), source{c, arn}, func(r consumer.Record) error {
		if (r.Event == "REMOVE") != (r.User == "dynamodb.amazonaws.com") {
			return fmt.Errorf("mortal: %s of %s by %q", r.Event, r.Key, r.User)
		}
		if r.Event == "REMOVE" {
			removed++
		}
		return replica.Take(r)
	})
	if err != nil {
		return err
	}
	if removed < m.count/2 {
		return fmt.Errorf("mortal: the stream tells of %d deletions, want %d", removed, m.count/2)
	}
	return replica.Compare(want)
}
