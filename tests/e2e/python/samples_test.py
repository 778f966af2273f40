"""Common samples of DynamoDB's use for experiment metadata, as they run on AWS.

They differ from what circulates only where boto3 itself refuses them: numbers are Decimal instead of float, and
batch_writer takes no batch size.
"""

import time
from datetime import datetime
from decimal import Decimal

from boto3.dynamodb.conditions import Attr, Key

from server import TestCase

TABLE = "mlops-experiments"


class ExperimentMetadata(TestCase):
    """A table whose key is the experiment alone."""

    def test_put_and_get(self):
        table = self.create_simple("experiment_id", TableName="mlops-experiment-metadata")
        experiment = {
            "experiment_id": "exp_001",
            "name": "bert-fine-tuning",
            "version": "1.0",
            "created_at": int(datetime.now().timestamp()),
            "status": "completed",
            "config": {"batch_size": 32, "learning_rate": Decimal("0.001"), "epochs": 10},
            "metrics": {"accuracy": Decimal("0.95"), "f1_score": Decimal("0.93"), "loss": Decimal("0.05")},
        }
        with self.assertRaises(TypeError):  # boto3's word, before anything is sent
            table.put_item(Item={**experiment, "metrics": {"accuracy": 0.95}})
        table.put_item(Item=experiment)
        response = table.get_item(Key={"experiment_id": "exp_001"})
        self.assertEqual(experiment, response["Item"])


class Experiments(TestCase):
    """The table of the samples, with its index."""

    def setUp(self):
        self.table = self.create(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "experiment_id", "KeyType": "HASH"},
                {"AttributeName": "created_at", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "experiment_id", "AttributeType": "S"},
                {"AttributeName": "created_at", "AttributeType": "N"},
                {"AttributeName": "status", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "status-created_at-index",
                    "KeySchema": [
                        {"AttributeName": "status", "KeyType": "HASH"},
                        {"AttributeName": "created_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            Tags=[{"Key": "Environment", "Value": "production"}, {"Key": "Application", "Value": "mlops"}],
        )

    def test_setup(self):
        self.table.reload()
        self.assertEqual("ACTIVE", self.table.table_status)
        self.assertEqual("PAY_PER_REQUEST", self.table.billing_mode_summary["BillingMode"])
        self.assertEqual(["status-created_at-index"], [i["IndexName"] for i in self.table.global_secondary_indexes])
        tags = self.client.list_tags_of_resource(ResourceArn=self.table.table_arn)["Tags"]
        self.assertEqual({"Environment": "production", "Application": "mlops"}, {t["Key"]: t["Value"] for t in tags})

    def test_crud(self):
        table, key = self.table, {"experiment_id": "exp_002", "created_at": 1700000000}
        table.put_item(Item={**key, "name": "vit-classifier", "status": "running"})

        item = table.get_item(Key=key).get("Item")
        self.assertEqual("running", item["status"])

        now = int(datetime.now().timestamp())
        table.update_item(
            Key=key,
            UpdateExpression="SET #status = :status, #updated = :updated",
            ExpressionAttributeNames={"#status": "status", "#updated": "updated_at"},
            ExpressionAttributeValues={":status": "completed", ":updated": now},
        )
        item = table.get_item(Key=key, ConsistentRead=True)["Item"]
        self.assertEqual({**key, "name": "vit-classifier", "status": "completed", "updated_at": now}, item)

        table.delete_item(Key=key)
        self.assertNotIn("Item", table.get_item(Key=key, ConsistentRead=True))

    def test_query_and_scan(self):
        table = self.table
        for i in range(5):
            table.put_item(
                Item={
                    "experiment_id": "exp_002",
                    "created_at": 1700000000 + i * 50000,
                    "status": "completed" if i % 2 == 0 else "running",
                    "metrics": {"accuracy": Decimal("0.88") + Decimal(i) / 100},
                }
            )
        table.put_item(Item={"experiment_id": "exp_003", "created_at": 1700000001, "status": "completed"})

        response = table.query(KeyConditionExpression=Key("experiment_id").eq("exp_002"))
        self.assertEqual(5, response["Count"])

        response = table.query(
            KeyConditionExpression=Key("experiment_id").eq("exp_002") & Key("created_at").between(1700000000, 1700100000)
        )
        self.assertEqual([1700000000, 1700050000, 1700100000], [i["created_at"] for i in response["Items"]])

        response = self.eventually(
            4,
            lambda: table.query(
                IndexName="status-created_at-index",
                KeyConditionExpression=Key("status").eq("completed"),
                ScanIndexForward=False,
            ),
        )
        self.assertEqual([1700200000, 1700100000, 1700000001, 1700000000], [i["created_at"] for i in response["Items"]])

        response = table.scan(
            FilterExpression=Attr("metrics.accuracy").gt(Decimal("0.9")) & Attr("status").eq("completed")
        )
        found = [(i["experiment_id"], i["metrics"]["accuracy"]) for i in response["Items"]]
        self.assertEqual([("exp_002", Decimal("0.92"))], found)
        self.assertEqual(6, response["ScannedCount"])

    def eventually(self, count, read):
        """Read until there are so many items: an index may lag behind its table."""
        deadline = time.monotonic() + 30
        response = read()
        while response["Count"] != count and time.monotonic() < deadline:
            response = read()
        self.assertEqual(count, response["Count"])
        return response

    def test_batches(self):
        table, now = self.table, int(datetime.now().timestamp())
        with table.batch_writer() as batch:
            for i in range(100):
                batch.put_item(Item={"experiment_id": f"exp_{i:03}", "created_at": now, "status": "pending"})
        self.assertEqual(100, table.scan(Select="COUNT")["Count"])

        table.put_item(Item={"experiment_id": "exp_001", "created_at": 1700000000})
        response = self.client.batch_get_item(
            RequestItems={
                TABLE: {
                    "Keys": [
                        {"experiment_id": {"S": "exp_001"}, "created_at": {"N": "1700000000"}},
                        {"experiment_id": {"S": "exp_002"}, "created_at": {"N": "1700000001"}},
                    ]
                }
            }
        )
        self.assertEqual(
            [{"experiment_id": {"S": "exp_001"}, "created_at": {"N": "1700000000"}}], response["Responses"][TABLE]
        )
        self.assertEqual({}, response["UnprocessedKeys"])

    def test_time_to_live(self):
        self.client.update_time_to_live(
            TableName=TABLE, TimeToLiveSpecification={"AttributeName": "expiration_time", "Enabled": True}
        )
        now = int(datetime.now().timestamp())
        item = {"experiment_id": "exp_temp", "created_at": now, "expiration_time": now + 86400}
        self.table.put_item(Item=item)
        self.assertEqual(item, self.table.get_item(Key={"experiment_id": "exp_temp", "created_at": now})["Item"])
        description = self.client.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
        self.assertIn(description["TimeToLiveStatus"], ("ENABLING", "ENABLED"))
        self.assertEqual("expiration_time", description["AttributeName"])
