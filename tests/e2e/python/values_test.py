"""Values: what goes in comes out, with all its digits and bytes."""

from decimal import Decimal

from boto3.dynamodb.types import Binary

from server import TestCase


class Values(TestCase):
    def setUp(self):
        self.table = self.create_simple()

    def round_trip(self, value):
        self.table.put_item(Item={"pk": "a", "v": value})
        return self.table.get_item(Key={"pk": "a"}, ConsistentRead=True)["Item"]["v"]

    def test_numbers(self):
        for text in (
            "0",
            "1",
            "-1",
            "0.1",
            "-0.001",
            "1E+30",
            "12345678901234567890123456789012345678",
            "0.12345678901234567890123456789012345678",
            "1E-130",
            "-1E-130",
        ):
            with self.subTest(text):
                self.assertEqual(Decimal(text), self.round_trip(Decimal(text)))

    def test_large_numbers(self):
        # The service tells all 126 digits of these, more than boto3's resources take; its clients do.
        for text in ("9.9999999999999999999999999999999999999E+125", "-1E+125"):
            with self.subTest(text):
                self.table.put_item(Item={"pk": "a", "v": Decimal(text)})
                item = self.client.get_item(TableName=self.table.name, Key={"pk": {"S": "a"}})["Item"]
                self.assertEqual(Decimal(text), Decimal(item["v"]["N"]))

    def test_number_overflow(self):
        refused = "Number overflow. Attempting to store a number with magnitude larger than supported range"
        self.assert_refused(
            "ValidationException",
            refused,
            self.client.put_item,
            TableName=self.table.name,
            Item={"pk": {"S": "a"}, "v": {"N": "1E+126"}},
        )

    def test_binary(self):
        everything = bytes(range(256))
        self.assertEqual(Binary(everything), self.round_trip(everything))
        self.assertEqual(Binary(b""), self.round_trip(b""))
        self.assertEqual({b"\x00", b"\xff"}, {b.value for b in self.round_trip({b"\x00", b"\xff"})})

    def test_sets(self):
        self.assertEqual({"a", "b", ""}, self.round_trip({"a", "b", ""}))
        self.assertEqual({Decimal("1.5"), Decimal(-2)}, self.round_trip({Decimal("1.5"), -2}))

    def test_documents(self):
        document = {
            "text": "é世😀\x00\n\"\\",
            "empty": "",
            "yes": True,
            "no": False,
            "nothing": None,
            "list": [1, "two", [], {}, [[Decimal("3.5")]]],
            "map": {"a.b": {"c": {"d": [None]}}},
        }
        self.assertEqual(document, self.round_trip(document))

    def test_large_item(self):
        text = "x" * (400 * 1024 - len("pk") - len("a") - len("v"))
        self.assertEqual(text, self.round_trip(text))
        self.assert_refused(
            "ValidationException",
            "Item size has exceeded the maximum allowed size",
            self.table.put_item,
            Item={"pk": "a", "v": text + "x"},
        )
