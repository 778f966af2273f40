"""Operations on items: what they return, and their errors."""

from decimal import Decimal

from boto3.dynamodb.conditions import Attr

from server import TestCase


class Items(TestCase):
    def setUp(self):
        self.table = self.create_simple()
        self.table.put_item(Item={"pk": "a", "n": 1, "m": {"x": 1, "y": 2}, "tags": {"red", "blue"}})

    def test_return_values(self):
        def update(n, returned):
            return self.table.update_item(
                Key={"pk": "a"},
                UpdateExpression="SET n = :n, m.x = :n REMOVE gone",
                ExpressionAttributeValues={":n": n},
                ReturnValues=returned,
            ).get("Attributes")

        whole = {"pk": "a", "n": 1, "m": {"x": 1, "y": 2}, "tags": {"red", "blue"}}
        self.assertIsNone(update(1, "NONE"))
        self.assertEqual(whole, update(2, "ALL_OLD"))
        self.assertEqual({**whole, "n": 3, "m": {"x": 3, "y": 2}}, update(3, "ALL_NEW"))
        self.assertEqual({"n": 3, "m": {"x": 3}}, update(4, "UPDATED_OLD"))
        self.assertEqual({"n": 5, "m": {"x": 5}}, update(5, "UPDATED_NEW"))
        self.assertEqual(
            5, self.table.put_item(Item={"pk": "a"}, ReturnValues="ALL_OLD")["Attributes"]["n"]
        )
        self.assertEqual({"pk": "a"}, self.table.delete_item(Key={"pk": "a"}, ReturnValues="ALL_OLD")["Attributes"])

    def test_update_actions(self):
        attributes = self.table.update_item(
            Key={"pk": "a"},
            UpdateExpression="SET l = list_append(if_not_exists(l, :none), :one), #n = #n + :d ADD c :d DELETE tags :red REMOVE m.y",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":none": [], ":one": ["1"], ":d": Decimal("0.5"), ":red": {"red"}},
            ReturnValues="ALL_NEW",
        )["Attributes"]
        self.assertEqual(
            {"pk": "a", "n": Decimal("1.5"), "c": Decimal("0.5"), "l": ["1"], "tags": {"blue"}, "m": {"x": 1}}, attributes
        )

    def test_conditions(self):
        failed = self.client.exceptions.ConditionalCheckFailedException
        with self.assertRaises(failed) as caught:
            self.table.put_item(Item={"pk": "a"}, ConditionExpression=Attr("pk").not_exists())
        self.assertEqual("The conditional request failed", caught.exception.response["Error"]["Message"])
        self.table.put_item(Item={"pk": "b"}, ConditionExpression="attribute_not_exists(pk)")
        self.table.update_item(
            Key={"pk": "a"},
            UpdateExpression="SET n = n + :one",
            ConditionExpression=Attr("n").eq(1) & Attr("m.x").between(0, 1) & Attr("tags").contains("red"),
            ExpressionAttributeValues={":one": 1},
        )
        with self.assertRaises(failed):
            self.table.delete_item(Key={"pk": "a"}, ConditionExpression=Attr("n").is_in([5, 6]) | Attr("tags").size().gt(2))
        self.assertEqual(2, self.table.get_item(Key={"pk": "a"})["Item"]["n"])

    def test_errors(self):
        exceptions = self.client.exceptions
        with self.assertRaises(exceptions.ResourceNotFoundException) as caught:
            self.client.get_item(TableName="nobody-made-this", Key={"pk": {"S": "a"}})
        response = caught.exception.response
        self.assertEqual("Requested resource not found", response["Error"]["Message"])
        self.assertEqual(400, response["ResponseMetadata"]["HTTPStatusCode"])
        self.assertEqual(52, len(response["ResponseMetadata"]["RequestId"]))
        self.assert_refused(
            "ValidationException",
            "The provided key element does not match the schema",
            self.table.get_item,
            Key={"pk": "a", "sk": 1},
        )
        self.assert_refused(
            "ValidationException",
            "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: status",
            self.table.update_item,
            Key={"pk": "a"},
            UpdateExpression="SET status = :s",
            ExpressionAttributeValues={":s": 1},
        )

    def test_legacy_members(self):
        self.table.update_item(
            Key={"pk": "a"},
            AttributeUpdates={
                "n": {"Action": "ADD", "Value": 4},
                "tags": {"Action": "DELETE", "Value": {"red"}},
                "new": {"Action": "PUT", "Value": [1]},
                "m": {"Action": "DELETE"},
            },
            Expected={"n": {"ComparisonOperator": "LT", "AttributeValueList": [2]}, "none": {"Exists": False}},
        )
        item = self.table.get_item(Key={"pk": "a"}, AttributesToGet=["n", "tags", "new", "m"])["Item"]
        self.assertEqual({"n": 5, "tags": {"blue"}, "new": [1]}, item)
        found = self.table.scan(
            ScanFilter={
                "n": {"ComparisonOperator": "EQ", "AttributeValueList": [0]},
                "new": {"ComparisonOperator": "NOT_NULL"},
            },
            ConditionalOperator="OR",
        )
        self.assertEqual(1, found["Count"])
        found = self.table.query(KeyConditions={"pk": {"ComparisonOperator": "EQ", "AttributeValueList": ["a"]}})
        self.assertEqual(1, found["Count"])

    def test_consumed_capacity(self):
        response = self.table.get_item(Key={"pk": "a"}, ReturnConsumedCapacity="TOTAL")
        self.assertEqual({"TableName": self.table.name, "CapacityUnits": 0.5}, response["ConsumedCapacity"])
        response = self.table.put_item(Item={"pk": "a", "v": "x" * 2000}, ReturnConsumedCapacity="INDEXES")
        self.assertEqual(
            {"TableName": self.table.name, "CapacityUnits": 2.0, "Table": {"CapacityUnits": 2.0}},
            response["ConsumedCapacity"],
        )


class Transactions(TestCase):
    def setUp(self):
        self.table = self.create_simple()
        self.name = self.table.name

    def test_write_and_get(self):
        self.client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": self.name, "Item": {"pk": {"S": "a"}, "n": {"N": "1"}}}},
                {
                    "Update": {
                        "TableName": self.name,
                        "Key": {"pk": {"S": "b"}},
                        "UpdateExpression": "ADD n :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}},
                    }
                },
                {
                    "ConditionCheck": {
                        "TableName": self.name,
                        "Key": {"pk": {"S": "c"}},
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
            ]
        )
        responses = self.client.transact_get_items(
            TransactItems=[{"Get": {"TableName": self.name, "Key": {"pk": {"S": pk}}}} for pk in "abc"]
        )["Responses"]
        self.assertEqual(
            [{"Item": {"pk": {"S": "a"}, "n": {"N": "1"}}}, {"Item": {"pk": {"S": "b"}, "n": {"N": "1"}}}, {}], responses
        )

    def test_cancelled(self):
        self.table.put_item(Item={"pk": "a", "n": 1})
        with self.assertRaises(self.client.exceptions.TransactionCanceledException) as caught:
            self.client.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": self.name, "Item": {"pk": {"S": "b"}}}},
                    {
                        "Delete": {
                            "TableName": self.name,
                            "Key": {"pk": {"S": "a"}},
                            "ConditionExpression": "n = :two",
                            "ExpressionAttributeValues": {":two": {"N": "2"}},
                            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                        }
                    },
                ]
            )
        response = caught.exception.response
        self.assertEqual(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]",
            response["Error"]["Message"],
        )
        self.assertEqual(
            [
                {"Code": "None"},
                {
                    "Code": "ConditionalCheckFailed",
                    "Message": "The conditional request failed",
                    "Item": {"pk": {"S": "a"}, "n": {"N": "1"}},
                },
            ],
            response["CancellationReasons"],
        )
        self.assertNotIn("Item", self.table.get_item(Key={"pk": "b"}))

    def test_token(self):
        def add(n):
            self.client.transact_write_items(
                ClientRequestToken="a token",
                TransactItems=[
                    {
                        "Update": {
                            "TableName": self.name,
                            "Key": {"pk": {"S": "a"}},
                            "UpdateExpression": "ADD n :n",
                            "ExpressionAttributeValues": {":n": {"N": str(n)}},
                        }
                    }
                ],
            )

        add(1)
        add(1)
        self.assertEqual(1, self.table.get_item(Key={"pk": "a"}, ConsistentRead=True)["Item"]["n"])
        with self.assertRaises(self.client.exceptions.IdempotentParameterMismatchException):
            add(2)
