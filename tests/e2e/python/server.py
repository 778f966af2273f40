"""The server under test, and what the tests share."""

import os
import time
import unittest
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ["GRAMME_URL"]
CONFIG = Config(retries={"max_attempts": 1})
POLLS = {"Delay": 1, "MaxAttempts": 60}


def client(service="dynamodb", **arguments):
    return boto3.client(service, endpoint_url=URL, **{"config": CONFIG, **arguments})


def resource(**arguments):
    return boto3.resource("dynamodb", endpoint_url=URL, **{"config": CONFIG, **arguments})


def pause():
    """Wait a little before asking again."""
    time.sleep(0.05)


class TestCase(unittest.TestCase):
    """A test with a client, and with tables that go when it ends."""

    @classmethod
    def setUpClass(cls):
        cls.client = client()
        cls.dynamodb = resource()

    def create(self, **definition):
        """Make a table, on demand and with a name of its own unless the definition says otherwise."""
        name = definition.setdefault("TableName", "e2e-" + uuid.uuid4().hex)
        if "ProvisionedThroughput" not in definition:
            definition.setdefault("BillingMode", "PAY_PER_REQUEST")
        self.client.create_table(**definition)
        self.addCleanup(self.drop, name)
        self.client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=POLLS)
        return self.dynamodb.Table(name)

    def create_simple(self, hash_key="pk", range_key=None, range_type="S", **definition):
        schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
        attributes = [{"AttributeName": hash_key, "AttributeType": "S"}]
        if range_key:
            schema.append({"AttributeName": range_key, "KeyType": "RANGE"})
            attributes.append({"AttributeName": range_key, "AttributeType": range_type})
        return self.create(KeySchema=schema, AttributeDefinitions=attributes, **definition)

    def drop(self, name):
        try:
            self.client.delete_table(TableName=name)
        except self.client.exceptions.ResourceNotFoundException:
            return
        self.client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig=POLLS)

    def assert_refused(self, code, message, call, *args, **arguments):
        """The call fails with this error of the service; a message of None is any."""
        with self.assertRaises(ClientError) as caught:
            call(*args, **arguments)
        error = caught.exception.response["Error"]
        self.assertEqual(code, error["Code"])
        if message is not None:
            self.assertEqual(message, error["Message"])
        return caught.exception
