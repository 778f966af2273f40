"""The stream of a table's changes, as a consumer reads it."""

import time

from server import TestCase, client, pause


class StreamCase(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.streams = client("dynamodbstreams")

    def create_streaming(self, view):
        table = self.create_simple(StreamSpecification={"StreamEnabled": True, "StreamViewType": view})
        return table, self.client.describe_table(TableName=table.name)["Table"]["LatestStreamArn"]

    def describe(self, arn, **arguments):
        return self.streams.describe_stream(StreamArn=arn, **arguments)["StreamDescription"]

    def iterator(self, arn, shard, kind, number=None):
        at = {"SequenceNumber": number} if number else {}
        return self.streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **at)["ShardIterator"]

    def read(self, iterator):
        """The records from an iterator on, until a page is empty or the shard ends, and the iterator to go on with."""
        records = []
        while iterator:
            page = self.streams.get_records(ShardIterator=iterator)
            iterator = page.get("NextShardIterator")
            if not page["Records"]:
                break
            records += page["Records"]
        return records, iterator

    def read_all(self, arn):
        """All records of a stream, by the shards' age."""
        return [r for s in self.describe(arn)["Shards"] for r in self.read(self.iterator(arn, s["ShardId"], "TRIM_HORIZON"))[0]]

    def change(self, table):
        """Insert, modify and remove an item; what changes nothing leaves no record."""
        table.put_item(Item={"pk": "1", "n": 1})
        table.put_item(Item={"pk": "1", "n": 1})
        table.update_item(Key={"pk": "1"}, UpdateExpression="SET n = n + :one", ExpressionAttributeValues={":one": 1})
        table.delete_item(Key={"pk": "1"})
        table.delete_item(Key={"pk": "1"})


class Streams(StreamCase):
    def test_view_types(self):
        one, two = {"pk": {"S": "1"}, "n": {"N": "1"}}, {"pk": {"S": "1"}, "n": {"N": "2"}}
        for view, want in {
            "KEYS_ONLY": [(None, None), (None, None), (None, None)],
            "NEW_IMAGE": [(None, one), (None, two), (None, None)],
            "OLD_IMAGE": [(None, None), (one, None), (two, None)],
            "NEW_AND_OLD_IMAGES": [(None, one), (one, two), (two, None)],
        }.items():
            with self.subTest(view):
                table, arn = self.create_streaming(view)
                self.change(table)
                records = self.read_all(arn)
                self.assertEqual(["INSERT", "MODIFY", "REMOVE"], [r["eventName"] for r in records])
                self.assertEqual(want, [(r["dynamodb"].get("OldImage"), r["dynamodb"].get("NewImage")) for r in records])
                for r in records:
                    self.assertEqual(({"pk": {"S": "1"}}, view), (r["dynamodb"]["Keys"], r["dynamodb"]["StreamViewType"]))
                    self.assertEqual(("aws:dynamodb", "us-east-1"), (r["eventSource"], r["awsRegion"]))
                    self.assertNotIn("userIdentity", r)
                self.assertEqual(3, len({r["eventID"] for r in records}))

    def test_description(self):
        table, arn = self.create_streaming("NEW_IMAGE")
        told = self.describe(arn)
        label = arn.rsplit("/", 1)[1]
        self.assertRegex(label, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$")
        self.assertEqual((arn, label, "ENABLED", "NEW_IMAGE", table.name), tuple(
            told[k] for k in ("StreamArn", "StreamLabel", "StreamStatus", "StreamViewType", "TableName")))
        self.assertEqual([{"AttributeName": "pk", "KeyType": "HASH"}], told["KeySchema"])
        ids = [s["ShardId"] for s in told["Shards"]]
        self.assertEqual(sorted(ids), ids)
        for s in told["Shards"]:
            self.assertRegex(s["ShardId"], r"^shardId-\d{20}-[0-9a-f]{8}$")
            self.assertNotIn("EndingSequenceNumber", s["SequenceNumberRange"])

        page = self.describe(arn, Limit=1)
        self.assertEqual((ids[:1], ids[0]), ([s["ShardId"] for s in page["Shards"]], page.get("LastEvaluatedShardId", ids[0])))
        rest = self.describe(arn, ExclusiveStartShardId=ids[0])
        self.assertEqual(ids[1:], [s["ShardId"] for s in rest["Shards"]])
        self.assertEqual([], self.describe(arn, ExclusiveStartShardId=ids[-1])["Shards"])
        listed = self.streams.list_streams(TableName=table.name)["Streams"]
        self.assertEqual([{"StreamArn": arn, "TableName": table.name, "StreamLabel": label}], listed)

    def test_iterators(self):
        table, arn = self.create_streaming("NEW_IMAGE")
        for n in range(4):
            table.put_item(Item={"pk": "1", "n": n})
        # All changes of one item are in one shard.
        shard, records = next((s["ShardId"], r) for s in self.describe(arn)["Shards"]
                              if (r := self.read(self.iterator(arn, s["ShardId"], "TRIM_HORIZON"))[0]))
        numbers = [r["dynamodb"]["SequenceNumber"] for r in records]
        self.assertEqual((4, sorted(numbers, key=int)), (len(set(numbers)), numbers))

        def seen(kind, number=None):
            return [r["dynamodb"]["SequenceNumber"] for r in self.read(self.iterator(arn, shard, kind, number))[0]]

        self.assertEqual(numbers[1:], seen("AT_SEQUENCE_NUMBER", numbers[1]))
        self.assertEqual(numbers[2:], seen("AFTER_SEQUENCE_NUMBER", numbers[1]))
        latest = self.iterator(arn, shard, "LATEST")
        self.assertEqual([], seen("LATEST"))
        table.put_item(Item={"pk": "1", "n": 4})
        self.assertEqual([{"N": "4"}], [r["dynamodb"]["NewImage"]["n"] for r in self.read(latest)[0]])

        first = self.streams.get_records(ShardIterator=self.iterator(arn, shard, "TRIM_HORIZON"), Limit=2)
        self.assertEqual(numbers[:2], [r["dynamodb"]["SequenceNumber"] for r in first["Records"]])
        self.assertEqual(5 - 2, len(self.read(first["NextShardIterator"])[0]))

        for arguments in (("AT_SEQUENCE_NUMBER",), ("AFTER_SEQUENCE_NUMBER",), ("LATEST", numbers[0]), ("TRIM_HORIZON", numbers[0]), ("FIRST",)):
            self.assert_refused("ValidationException", None, self.iterator, arn, shard, *arguments)
        unknown = "shardId-00000000000000000001-00000000"
        self.assert_refused("ResourceNotFoundException", None, self.iterator, arn, unknown, "LATEST")
        self.assert_refused("ValidationException", "Invalid ShardIterator", self.streams.get_records, ShardIterator=latest[:-4])
        self.assert_refused("ValidationException", None, self.streams.get_records, ShardIterator=latest, Limit=1001)

    def test_disabled_and_enabled_again(self):
        """A stream that is disabled is read to its end; the next one has a label of its own."""
        table, old = self.create_streaming("NEW_IMAGE")
        on = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        self.assert_refused(
            "ValidationException", f"Table already has an enabled stream: TableName: {table.name}",
            self.client.update_table, TableName=table.name, StreamSpecification=on)
        table.put_item(Item={"pk": "before"})
        self.client.update_table(TableName=table.name, StreamSpecification={"StreamEnabled": False})
        self.client.get_waiter("table_exists").wait(TableName=table.name)
        table.put_item(Item={"pk": "between"})
        told = self.describe(old)
        self.assertEqual("DISABLED", told["StreamStatus"])
        self.assertTrue(all("EndingSequenceNumber" in s["SequenceNumberRange"] for s in told["Shards"]))
        self.assert_refused(
            "ValidationException", f"Table has no stream to disable: TableName: {table.name}",
            self.client.update_table, TableName=table.name, StreamSpecification={"StreamEnabled": False})

        self.client.update_table(TableName=table.name, StreamSpecification=on)
        self.client.get_waiter("table_exists").wait(TableName=table.name)
        table.put_item(Item={"pk": "after"})
        new = self.client.describe_table(TableName=table.name)["Table"]["LatestStreamArn"]
        self.assertNotEqual(old, new)
        keys = lambda arn: [r["dynamodb"]["Keys"]["pk"]["S"] for r in self.read_all(arn)]
        self.assertEqual((["before"], ["after"]), (keys(old), keys(new)))
        for s in self.describe(old)["Shards"]:
            iterator = self.iterator(old, s["ShardId"], "TRIM_HORIZON")
            while iterator:  # it ends
                iterator = self.streams.get_records(ShardIterator=iterator).get("NextShardIterator")
        listed = self.streams.list_streams(TableName=table.name)["Streams"]
        self.assertEqual({old, new}, {s["StreamArn"] for s in listed})

        self.client.delete_table(TableName=table.name)
        self.client.get_waiter("table_not_exists").wait(TableName=table.name)
        self.assertEqual((["before"], ["after"]), (keys(old), keys(new)))

    def test_time_to_live(self):
        """Who deletes what has expired is the service."""
        table, arn = self.create_streaming("OLD_IMAGE")
        self.client.update_time_to_live(TableName=table.name, TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True})
        expired = int(time.time()) - 60
        table.put_item(Item={"pk": "old", "expires": expired})
        deadline = time.monotonic() + 30
        while "Item" in table.get_item(Key={"pk": "old"}, ConsistentRead=True):
            self.assertLess(time.monotonic(), deadline)
            pause()
        inserted, removed = self.read_all(arn)
        self.assertNotIn("userIdentity", inserted)
        self.assertEqual(("REMOVE", {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}), (removed["eventName"], removed["userIdentity"]))
        self.assertEqual({"pk": {"S": "old"}, "expires": {"N": str(expired)}}, removed["dynamodb"]["OldImage"])
