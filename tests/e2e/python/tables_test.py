"""Operations on tables, with boto3's waiters and paginators."""

import unittest

from boto3.dynamodb.conditions import Key

import server
from server import POLLS, TestCase


class Tables(TestCase):
    def test_life(self):
        table = self.create_simple("pk", "sk", "N")
        self.assert_refused(
            "ResourceInUseException", "Table already exists: " + table.name, self.create_simple, TableName=table.name
        )
        description = self.client.describe_table(TableName=table.name)["Table"]
        self.assertEqual(
            [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}], description["KeySchema"]
        )
        self.assertEqual("DELETING", table.delete()["TableDescription"]["TableStatus"])
        table.wait_until_not_exists()
        with self.assertRaises(self.client.exceptions.ResourceNotFoundException):
            table.load()

    def test_list_pages(self):
        names = sorted(self.create_simple().name for _ in range(5))
        pages = list(self.client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 2}))
        self.assertTrue(all(len(page["TableNames"]) <= 2 for page in pages))
        listed = [name for page in pages for name in page["TableNames"] if name in names]
        self.assertEqual(names, listed)
        self.assertEqual(names, [t.name for t in self.dynamodb.tables.all() if t.name in names])

    def test_provisioned_throughput(self):
        table = self.create_simple(ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6})
        self.assertEqual(5, table.provisioned_throughput["ReadCapacityUnits"])
        table.update(ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 6})
        table.wait_until_exists()
        table.reload()
        self.assertEqual(7, table.provisioned_throughput["ReadCapacityUnits"])
        self.client.update_table(TableName=table.name, BillingMode="PAY_PER_REQUEST")
        table.wait_until_exists()
        table.reload()
        self.assertEqual("PAY_PER_REQUEST", table.billing_mode_summary["BillingMode"])

    def test_add_and_remove_index(self):
        table = self.create_simple()
        with table.batch_writer() as batch:
            for i in range(60):
                batch.put_item(Item={"pk": str(i), "kind": "even" if i % 2 == 0 else "odd"})
        self.client.update_table(
            TableName=table.name,
            AttributeDefinitions=[{"AttributeName": "kind", "AttributeType": "S"}],
            GlobalSecondaryIndexUpdates=[
                {
                    "Create": {
                        "IndexName": "by-kind",
                        "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                }
            ],
        )
        self.wait_for_indexes(table, {"by-kind": "ACTIVE"})
        found = table.query(IndexName="by-kind", KeyConditionExpression=Key("kind").eq("odd"))
        self.assertEqual(30, found["Count"])
        self.client.update_table(TableName=table.name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-kind"}}])
        self.wait_for_indexes(table, {})
        self.assert_refused(
            "ValidationException",
            "The table does not have the specified index: by-kind",
            table.query,
            IndexName="by-kind",
            KeyConditionExpression=Key("kind").eq("odd"),
        )

    def wait_for_indexes(self, table, want):
        for _ in range(POLLS["MaxAttempts"]):
            table.wait_until_exists()
            table.reload()
            got = {i["IndexName"]: i["IndexStatus"] for i in table.global_secondary_indexes or []}
            if got == want and table.table_status == "ACTIVE":
                return
            server.pause()
        self.assertEqual(want, got)

    def test_tags(self):
        arn = self.create_simple(Tags=[{"Key": "a", "Value": "1"}]).table_arn
        self.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": ""}])
        self.assertEqual({"a": "", "b": "2"}, self.tags(arn))
        self.client.untag_resource(ResourceArn=arn, TagKeys=["a", "nobody"])
        self.assertEqual({"b": "2"}, self.tags(arn))

    def tags(self, arn):
        pages = self.client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def test_what_infrastructure_tools_ask(self):
        table = self.create_simple()
        backups = self.client.describe_continuous_backups(TableName=table.name)["ContinuousBackupsDescription"]
        self.assertEqual("DISABLED", backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"])
        ttl = self.client.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
        self.assertEqual({"TimeToLiveStatus": "DISABLED"}, ttl)
        self.assertEqual(80000, self.client.describe_limits()["AccountMaxReadCapacityUnits"])
        self.assertEqual(1440, self.client.describe_endpoints()["Endpoints"][0]["CachePeriodInMinutes"])

    def test_regions_have_tables_of_their_own(self):
        name = self.create_simple().name
        elsewhere = server.client(region_name="eu-west-1")
        with self.assertRaises(elsewhere.exceptions.ResourceNotFoundException):
            elsewhere.describe_table(TableName=name)


class Pages(TestCase):
    def setUp(self):
        self.table = self.create_simple("pk", "sk", "N")
        with self.table.batch_writer() as batch:
            for i in range(50):
                batch.put_item(Item={"pk": f"p{i % 2}", "sk": i})

    def test_query_pages(self):
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table.name,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "p1"}},
            ScanIndexForward=False,
            PaginationConfig={"PageSize": 7},
        )
        found = [int(item["sk"]["N"]) for page in pages for item in page["Items"]]
        self.assertEqual(list(range(49, 0, -2)), found)

    def test_scan_pages_and_segments(self):
        found = []
        for segment in range(3):
            pages = self.client.get_paginator("scan").paginate(
                TableName=self.table.name, Segment=segment, TotalSegments=3, PaginationConfig={"PageSize": 4}
            )
            found += [int(item["sk"]["N"]) for page in pages for item in page["Items"]]
        self.assertEqual(list(range(50)), sorted(found))

    def test_batch_get(self):
        response = self.dynamodb.batch_get_item(
            RequestItems={
                self.table.name: {
                    "Keys": [{"pk": f"p{i % 2}", "sk": i} for i in range(40, 60)],
                    "ProjectionExpression": "sk",
                }
            }
        )
        found = sorted(int(item["sk"]) for item in response["Responses"][self.table.name])
        self.assertEqual(list(range(40, 50)), found)

    def test_batch_writer_deletes_and_deduplicates(self):
        with self.table.batch_writer(overwrite_by_pkeys=["pk", "sk"]) as batch:
            for i in range(50):
                batch.put_item(Item={"pk": f"p{i % 2}", "sk": i, "again": True})
                batch.delete_item(Key={"pk": f"p{i % 2}", "sk": i})
        self.assertEqual(0, self.table.scan()["Count"])


class Identity(unittest.TestCase):
    def test_caller(self):
        identity = server.client("sts").get_caller_identity()
        self.assertEqual("000000000000", identity["Account"])
