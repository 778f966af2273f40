"""Functions that are called with what changes in a table."""

import base64
import json
import os
import tempfile
import time

from functions_test import FunctionCase
from server import client, pause

# A common sample of a handler, as it runs on AWS.
SAMPLE = """
def process_stream_record(record):
    if record['eventName'] == 'INSERT':
        item = record['dynamodb']['NewImage']
        print(f"New experiment: {item['experiment_id']['S']}")
    elif record['eventName'] == 'MODIFY':
        old = record['dynamodb']['OldImage']
        new = record['dynamodb']['NewImage']
        print(f"Updated: {old} -> {new}")

# Lambda handler
def lambda_handler(event, context):
    for record in event['Records']:
        process_stream_record(record)
    return {'statusCode': 200}
"""

# A handler that writes down in a table what it gets.
WRITE_DOWN = """
import json, boto3
table = boto3.resource("dynamodb").Table(%r)
def handler(event, context):
    for r in event["Records"]:
        d = r["dynamodb"]
        if "fail" in str(d.get("NewImage")):
            raise ValueError("no")
        table.put_item(Item={"pk": r["eventID"], "n": d["SequenceNumber"], "record": json.dumps(r)})
"""


class TriggerCase(FunctionCase):
    def create_streaming(self, view="NEW_AND_OLD_IMAGES"):
        """Make a table with a stream, and return both."""
        table = self.create_simple(StreamSpecification={"StreamEnabled": True, "StreamViewType": view})
        return table, self.client.describe_table(TableName=table.name)["Table"]["LatestStreamArn"]

    def create_mapping(self, function, stream, **arguments):
        arguments = {"FunctionName": function, "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON", **arguments}
        made = self.functions.create_event_source_mapping(**arguments)
        self.addCleanup(self.drop_mapping, made["UUID"])
        return made

    def drop_mapping(self, mapping):
        try:
            self.functions.delete_event_source_mapping(UUID=mapping)
        except (self.functions.exceptions.ResourceNotFoundException, self.functions.exceptions.ResourceInUseException):
            pass

    def eventually(self, what, look):
        """Look until there is something to see."""
        deadline = time.monotonic() + 30
        while True:
            seen = look()
            if seen:
                return seen
            self.assertLess(time.monotonic(), deadline, what)
            pause()

    def written(self, table, count):
        """The records that a handler has written down, when there are so many, in their order."""

        def look():
            items = table.scan(ConsistentRead=True)["Items"]
            return len(items) >= count and sorted(items, key=lambda i: int(i["n"]))

        return [json.loads(i["record"]) for i in self.eventually(f"{count} records", look)]


class Triggers(TriggerCase):
    def test_sample(self):
        """The sample runs as it stands."""
        table, stream = self.create_streaming()
        name = self.create_function({"lambda_function.py": SAMPLE}, Handler="lambda_function.lambda_handler")["FunctionName"]
        made = self.create_mapping(name, stream)
        self.assertEqual(202, made["ResponseMetadata"]["HTTPStatusCode"])
        table.put_item(Item={"pk": "1", "experiment_id": "exp_001"})
        table.put_item(Item={"pk": "1", "experiment_id": "exp_001", "status": "done"})
        self.eventually("a result", lambda: self.functions.get_event_source_mapping(UUID=made["UUID"])["LastProcessingResult"] == "OK")

        # The very same records, by hand, to see what it prints.
        streams = self.streams(stream)
        answer, result = self.invoke(name, {"Records": streams}, LogType="Tail")
        self.assertEqual({"statusCode": 200}, result)
        log = base64.b64decode(answer["LogResult"]).decode()
        self.assertIn("New experiment: exp_001\n", log)
        self.assertRegex(log, r"\nUpdated: \{.*'experiment_id': \{'S': 'exp_001'\}.*\} -> \{.*'status': \{'S': 'done'\}")

    def streams(self, arn):
        """All records of a stream, for JSON."""
        streams = client("dynamodbstreams")
        records = []
        for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            records += streams.get_records(ShardIterator=iterator)["Records"]
        return json.loads(json.dumps(records, default=str))

    def test_records(self):
        table, stream = self.create_streaming()
        seen = self.create_simple()
        name = self.create_function(WRITE_DOWN % (seen.name,))["FunctionName"]
        self.create_mapping(name, stream, BatchSize=10)
        table.put_item(Item={"pk": "a", "b": b"\x00\x01", "n": 5, "l": [None, True, {"é": "ü"}], "s": {"x", "y"}})
        table.update_item(Key={"pk": "a"}, UpdateExpression="SET n = n + :one REMOVE b, l, s", ExpressionAttributeValues={":one": 1})
        table.delete_item(Key={"pk": "a"})
        first, second, third = self.written(seen, 3)
        self.assertEqual(["INSERT", "MODIFY", "REMOVE"], [r["eventName"] for r in (first, second, third)])
        self.assertEqual(("aws:dynamodb", "us-east-1", stream), (first["eventSource"], first["awsRegion"], first["eventSourceARN"]))
        image = {"pk": {"S": "a"}, "b": {"B": "AAE="}, "n": {"N": "5"}, "l": {"L": [{"NULL": True}, {"BOOL": True}, {"M": {"é": {"S": "ü"}}}]}, "s": {"SS": ["x", "y"]}}
        d = first["dynamodb"]
        self.assertEqual((image, {"pk": {"S": "a"}}, "NEW_AND_OLD_IMAGES"), (d["NewImage"], d["Keys"], d["StreamViewType"]))
        self.assertNotIn("OldImage", d)
        self.assertIsInstance(d["ApproximateCreationDateTime"], int)
        self.assertEqual({"pk": {"S": "a"}, "n": {"N": "6"}}, second["dynamodb"]["NewImage"])
        self.assertEqual(image, second["dynamodb"]["OldImage"])
        self.assertNotIn("NewImage", third["dynamodb"])
        self.assertNotIn("userIdentity", third)

    def test_life(self):
        table, stream = self.create_streaming("KEYS_ONLY")
        made_function = self.create_function("def handler(e, c): pass")
        name, arn = made_function["FunctionName"], made_function["FunctionArn"]
        made = self.create_mapping(name, stream, Enabled=False)
        expected = {
            "EventSourceArn": stream,
            "FunctionArn": arn,
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 100,
            "MaximumBatchingWindowInSeconds": 0,
            "ParallelizationFactor": 1,
            "MaximumRecordAgeInSeconds": -1,
            "MaximumRetryAttempts": -1,
            "BisectBatchOnFunctionError": False,
            "TumblingWindowInSeconds": 0,
            "FunctionResponseTypes": [],
            "DestinationConfig": {"OnFailure": {}},
            "LastProcessingResult": "No records processed",
            "StateTransitionReason": "User action",
            "EventSourceMappingArn": "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:" + made["UUID"],
        }
        self.assertEqual({**expected, "State": "Creating"}, {k: made.get(k) for k in (*expected, "State")})
        found = self.functions.get_event_source_mapping(UUID=made["UUID"])
        self.assertEqual({**expected, "State": "Disabled"}, {k: found.get(k) for k in (*expected, "State")})
        self.assert_refused("ResourceConflictException", None, self.create_mapping, arn, stream)

        filters = {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]}
        changed = self.functions.update_event_source_mapping(
            UUID=made["UUID"], Enabled=True, BatchSize=7, FilterCriteria=filters, FunctionResponseTypes=["ReportBatchItemFailures"],
            DestinationConfig={"OnFailure": {"Destination": "https://example.com/failures"}},
        )
        self.assertEqual(("Enabling", 7), (changed["State"], changed["BatchSize"]))
        found = self.functions.get_event_source_mapping(UUID=made["UUID"])
        self.assertEqual(("Enabled", filters, ["ReportBatchItemFailures"]), (found["State"], found["FilterCriteria"], found["FunctionResponseTypes"]))
        self.assertEqual("https://example.com/failures", found["DestinationConfig"]["OnFailure"]["Destination"])
        found = self.functions.update_event_source_mapping(UUID=made["UUID"], FilterCriteria={}, FunctionResponseTypes=[])
        self.assertEqual((None, []), (found.get("FilterCriteria"), found["FunctionResponseTypes"]))

        for criteria in ({"FunctionName": name}, {"EventSourceArn": stream}, {"FunctionName": arn, "EventSourceArn": stream}):
            listed = self.functions.list_event_source_mappings(**criteria)["EventSourceMappings"]
            self.assertEqual([made["UUID"]], [m["UUID"] for m in listed])
        self.assertEqual([], self.functions.list_event_source_mappings(FunctionName="another")["EventSourceMappings"])

        self.assertEqual("Deleting", self.functions.delete_event_source_mapping(UUID=made["UUID"])["State"])
        self.eventually("the end", lambda: not self.functions.list_event_source_mappings(EventSourceArn=stream)["EventSourceMappings"])
        self.assert_refused("ResourceNotFoundException", "The resource you requested does not exist.", self.functions.get_event_source_mapping, UUID=made["UUID"])

    def test_refusals(self):
        _, stream = self.create_streaming()
        name = self.create_function("def handler(e, c): pass")["FunctionName"]
        bad = "InvalidParameterValueException"
        for code, message, arguments in (
            ("ResourceNotFoundException", None, {"FunctionName": "nobody"}),
            (bad, f"Stream not found: {stream}x", {"EventSourceArn": stream + "x"}),
            (bad, None, {"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:queue"}),
            (bad, "Unsupported starting position for stream type.", {"StartingPosition": "AT_TIMESTAMP"}),
            (bad, None, {"MaximumRecordAgeInSeconds": 5}),
            (bad, None, {"TumblingWindowInSeconds": 30, "ParallelizationFactor": 2}),
            (bad, None, {"FilterCriteria": {"Filters": [{"Pattern": '{"a": "b"}'}]}}),
            (bad, None, {"FilterCriteria": {"Filters": [{"Pattern": '{"a": ["b"]}'}] * 6}}),
            (bad, None, {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:queue"}}}),
            (bad, "Queues is not supported by Gramme.", {"Queues": ["q"]}),
            ("ValidationException", None, {"BatchSize": 10001}),
            ("ValidationException", None, {"ParallelizationFactor": 11}),
        ):
            self.assert_refused(code, message, self.create_mapping, **{"function": name, "stream": stream, **self.renamed(arguments)})

    @staticmethod
    def renamed(arguments):
        names = {"FunctionName": "function", "EventSourceArn": "stream"}
        return {names.get(k, k): v for k, v in arguments.items()}

    def test_latest_and_filters(self):
        table, stream = self.create_streaming()
        seen = self.create_simple()
        name = self.create_function(WRITE_DOWN % (seen.name,))["FunctionName"]
        table.put_item(Item={"pk": "old", "status": "done"})
        filters = {"Filters": [{"Pattern": json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"status": {"S": ["done"]}}}})}]}
        self.create_mapping(name, stream, StartingPosition="LATEST", FilterCriteria=filters)
        for pk, status in (("a", "begun"), ("b", "done"), ("c", "begun"), ("d", "done")):
            table.put_item(Item={"pk": pk, "status": status})
        self.assertEqual({"b", "d"}, {r["dynamodb"]["Keys"]["pk"]["S"] for r in self.written(seen, 2)})

    def test_failures(self):
        """A record that cannot be processed is found, given up and reported; all others are processed."""
        table, stream = self.create_streaming()
        seen = self.create_simple()
        name = self.create_function(WRITE_DOWN % (seen.name,))["FunctionName"]
        with tempfile.TemporaryDirectory() as directory:
            failures = os.path.join(directory, "failures")
            made = self.create_mapping(
                name, stream, Enabled=False, BisectBatchOnFunctionError=True, MaximumRetryAttempts=0,
                DestinationConfig={"OnFailure": {"Destination": "file://" + failures}},
            )
            with table.batch_writer() as batch:
                for i in range(10):
                    batch.put_item(Item={"pk": str(i), "what": "fail" if i == 4 else "go"})
            self.functions.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
            records = self.written(seen, 9)
            self.assertEqual(set("012356789"), {r["dynamodb"]["Keys"]["pk"]["S"] for r in records})
            self.eventually("the document", lambda: os.path.exists(failures) and os.path.getsize(failures))
            with open(failures, encoding="utf-8") as f:
                document = json.loads(f.read())
        self.assertEqual("RetryAttemptsExhausted", document["requestContext"]["condition"])
        self.assertEqual((1, stream), (document["DDBStreamBatchInfo"]["batchSize"], document["DDBStreamBatchInfo"]["streamArn"]))

    def test_partial_failures(self):
        table, stream = self.create_streaming()
        seen = self.create_simple()
        code = """
import boto3
table = boto3.resource("dynamodb").Table(%r)
def handler(event, context):
    for i, r in enumerate(event["Records"]):
        if i == 2:
            return {"batchItemFailures": [{"itemIdentifier": r["dynamodb"]["SequenceNumber"]}]}
        table.update_item(Key={"pk": r["dynamodb"]["Keys"]["pk"]["S"]}, UpdateExpression="ADD calls :one", ExpressionAttributeValues={":one": 1})
    return {"batchItemFailures": []}
""" % (seen.name,)
        name = self.create_function(code)["FunctionName"]
        made = self.create_mapping(name, stream, Enabled=False, FunctionResponseTypes=["ReportBatchItemFailures"])
        with table.batch_writer() as batch:
            for i in range(7):
                batch.put_item(Item={"pk": str(i)})
        self.functions.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
        items = self.eventually("all records", lambda: len(i := seen.scan(ConsistentRead=True)["Items"]) == 7 and i)
        self.assertEqual([1] * 7, [i["calls"] for i in items])

    def test_order_in_parallel(self):
        """Each item's changes come in their order, also with several lanes."""
        table, stream = self.create_streaming("NEW_IMAGE")
        seen = self.create_simple()
        code = """
import boto3
table = boto3.resource("dynamodb").Table(%r)
def handler(event, context):
    for r in event["Records"]:
        image = r["dynamodb"]["NewImage"]
        table.update_item(Key={"pk": image["pk"]["S"]}, UpdateExpression="SET seen = list_append(if_not_exists(seen, :none), :v)",
            ExpressionAttributeValues={":none": [], ":v": [int(image["v"]["N"])]})
""" % (seen.name,)
        name = self.create_function(code)["FunctionName"]
        self.create_mapping(name, stream, ParallelizationFactor=4, BatchSize=5)
        for v in range(10):
            for key in "abcdef":
                table.put_item(Item={"pk": key, "v": v})
        self.eventually("all changes", lambda: sum(len(i["seen"]) for i in seen.scan(ConsistentRead=True)["Items"]) == 60)
        for item in seen.scan(ConsistentRead=True)["Items"]:
            self.assertEqual(list(range(10)), [int(v) for v in item["seen"]], item["pk"])

    def test_tumbling_window(self):
        table, stream = self.create_streaming()
        seen = self.create_simple()
        code = """
import boto3
table = boto3.resource("dynamodb").Table(%r)
def handler(event, context):
    count = event["state"].get("count", 0) + len(event["Records"])
    if event["isFinalInvokeForWindow"]:
        table.update_item(Key={"pk": "total"}, UpdateExpression="ADD n :n", ExpressionAttributeValues={":n": count})
    return {"state": {"count": count}}
""" % (seen.name,)
        name = self.create_function(code)["FunctionName"]
        self.create_mapping(name, stream, TumblingWindowInSeconds=2, BatchSize=2)
        for i in range(5):
            table.put_item(Item={"pk": str(i)})
        self.eventually("the end of the windows", lambda: seen.get_item(Key={"pk": "total"}, ConsistentRead=True).get("Item", {}).get("n") == 5)
