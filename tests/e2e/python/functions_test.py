"""Lambda functions through boto3."""

import base64
import io
import json
import re
import sys
import time
import uuid
import zipfile

from server import TestCase, client, pause

ROLE = "arn:aws:iam::000000000000:role/functions"
RUNTIME = f"python3.{sys.version_info.minor}"  # which has boto3

ECHO = """
def handler(event, context):
    print("echoing", event)
    return {"event": event, "function": context.function_name}
"""


def pack(files):
    """A zip archive of files, given as texts."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in files.items():
            z.writestr(name, text)
    return archive.getvalue()


class FunctionCase(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.functions = client("lambda")

    def create_function(self, files, **arguments):
        """Make a Python function, and remove it when the test ends."""
        if isinstance(files, str):
            files = {"app.py": files}
        arguments = {
            "FunctionName": "e2e-" + uuid.uuid4().hex,
            "Runtime": RUNTIME,
            "Role": ROLE,
            "Handler": "app.handler",
            "Code": {"ZipFile": pack(files)},
            "Timeout": 30,
            **arguments,
        }
        answer = self.functions.create_function(**{k: v for k, v in arguments.items() if v is not None})
        self.addCleanup(self.drop_function, answer["FunctionName"])
        self.functions.get_waiter("function_active_v2").wait(FunctionName=answer["FunctionName"])
        return answer

    def drop_function(self, name):
        try:
            self.functions.delete_function(FunctionName=name)
        except self.functions.exceptions.ResourceNotFoundException:
            pass

    def invoke(self, name, event=None, **arguments):
        answer = self.functions.invoke(FunctionName=name, Payload=json.dumps(event), **arguments)
        return answer, json.loads(answer["Payload"].read())


class Functions(FunctionCase):
    def test_life(self):
        made = self.create_function(ECHO, Description="says it again", Environment={"Variables": {"TEA": "Assam"}}, Tags={"a": "b"})
        name, arn = made["FunctionName"], made["FunctionArn"]
        self.assertEqual(f"arn:aws:lambda:us-east-1:000000000000:function:{name}", arn)
        self.assertEqual(("Pending", "Creating"), (made["State"], made["StateReasonCode"]))
        self.assertEqual(201, made["ResponseMetadata"]["HTTPStatusCode"])
        self.assertRegex(made["LastModified"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$")

        found = self.functions.get_function(FunctionName=name)
        configuration = found["Configuration"]
        self.assertEqual(("Active", "Successful"), (configuration["State"], configuration["LastUpdateStatus"]))
        self.assertEqual({"a": "b"}, found["Tags"])
        expected = {
            "FunctionName": name,
            "Runtime": RUNTIME,
            "Role": ROLE,
            "Handler": "app.handler",
            "Description": "says it again",
            "Timeout": 30,
            "MemorySize": 128,
            "Version": "$LATEST",
            "PackageType": "Zip",
            "Environment": {"Variables": {"TEA": "Assam"}},
            "EphemeralStorage": {"Size": 512},
            "TracingConfig": {"Mode": "PassThrough"},
            "CodeSha256": made["CodeSha256"],
        }
        self.assertEqual(expected, {k: configuration[k] for k in expected})
        for reference in (name, arn, f"{arn}:$LATEST", f"{name}:$LATEST", f"000000000000:function:{name}"):
            again = self.functions.get_function_configuration(FunctionName=reference)
            self.assertEqual(made["RevisionId"], again["RevisionId"])
            self.assertEqual({"event": [1], "function": name}, self.invoke(reference, [1])[1])

        listed = [f["FunctionName"] for p in self.functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1}) for f in p["Functions"]]
        self.assertIn(name, listed)

        gone = self.functions.delete_function(FunctionName=name)
        self.assertEqual(204, gone["ResponseMetadata"]["HTTPStatusCode"])
        for call in (self.functions.get_function, self.functions.delete_function, self.functions.invoke):
            self.assert_refused("ResourceNotFoundException", f"Function not found: {arn}", call, FunctionName=name)

    def test_update(self):
        made = self.create_function(ECHO)
        name = made["FunctionName"]
        self.invoke(name)
        changed = self.functions.update_function_code(FunctionName=name, ZipFile=pack({"app.py": "def handler(e, c): return 'new'"}))
        self.assertEqual("InProgress", changed["LastUpdateStatus"])
        self.assertNotEqual(made["CodeSha256"], changed["CodeSha256"])
        self.assertNotEqual(made["RevisionId"], changed["RevisionId"])
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=name)
        self.assertEqual("new", self.invoke(name)[1])

        self.functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"TEA": "Assam"}}, Timeout=7)
        code = "import os\ndef handler(e, c): return [os.environ['TEA'], c.get_remaining_time_in_millis() <= 7000]"
        self.functions.update_function_code(FunctionName=name, ZipFile=pack({"app.py": code}))
        self.assertEqual(["Assam", True], self.invoke(name)[1])
        self.assert_refused(
            "PreconditionFailedException", None, self.functions.update_function_code, FunctionName=name, ZipFile=pack({"a": ""}), RevisionId="old"
        )
        tried = self.functions.update_function_code(FunctionName=name, ZipFile=pack({"app.py": "x"}), DryRun=True)
        self.assertNotEqual(tried["CodeSha256"], self.functions.get_function_configuration(FunctionName=name)["CodeSha256"])

    def test_invocation(self):
        name = self.create_function(ECHO)["FunctionName"]
        answer, result = self.invoke(name, {"é": [1, None]}, LogType="Tail")
        self.assertEqual({"event": {"é": [1, None]}, "function": name}, result)
        self.assertEqual((200, "$LATEST"), (answer["StatusCode"], answer["ExecutedVersion"]))
        self.assertNotIn("FunctionError", answer)
        log = base64.b64decode(answer["LogResult"]).decode()
        self.assertIn(f"START RequestId: {answer['ResponseMetadata']['RequestId']} ", log)
        self.assertRegex(log, re.compile(r"^START RequestId: (\S+) Version: \$LATEST\nechoing .*\nEND RequestId: \1\nREPORT RequestId: \1\t", re.S))
        self.assertEqual({}, json.loads(self.functions.invoke(FunctionName=name)["Payload"].read())["event"])
        self.assertEqual(204, self.functions.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"])
        self.assert_refused("InvalidRequestContentException", None, self.functions.invoke, FunctionName=name, Payload="{")
        self.assert_refused("RequestTooLargeException", None, self.functions.invoke, FunctionName=name, Payload='"' + "x" * (6 << 20) + '"')
        self.assert_refused(
            "RequestTooLargeException", None, self.functions.invoke, FunctionName=name, InvocationType="Event", Payload='"' + "x" * (1 << 20) + '"'
        )

    def test_failures(self):
        code = """
import os, time
def handler(event, context):
    if event == "raise":
        raise ValueError("no tea")
    if event == "exit":
        os._exit(3)
    if event == "hang":
        time.sleep(600)
    return "x" * event
"""
        name = self.create_function(code, Timeout=1)["FunctionName"]
        for event, kind, text in (
            ("raise", "ValueError", "no tea"),
            ("exit", "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 3"),
            ("hang", "Sandbox.Timedout", "RequestId: ID Error: Task timed out after 1.00 seconds"),
            (7 << 20, "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes)."),
        ):
            answer, document = self.invoke(name, event)
            self.assertEqual((200, "Unhandled"), (answer["StatusCode"], answer["FunctionError"]))
            self.assertEqual((kind, text), (document["errorType"], re.sub("[0-9a-f-]{36}", "ID", document["errorMessage"])))
        self.assertEqual("xxx", self.invoke(name, 3)[1])

    def test_refusals(self):
        name = self.create_function(ECHO)["FunctionName"]
        create = lambda **a: self.functions.create_function(
            **{"FunctionName": "x", "Runtime": RUNTIME, "Role": ROLE, "Handler": "app.handler", "Code": {"ZipFile": pack({"app.py": ""})}, **a}
        )
        bad = "InvalidParameterValueException"
        for code, message, arguments in (
            ("ResourceConflictException", f"Function already exist: {name}", {"FunctionName": name}),
            (bad, "Could not unzip uploaded file. Please check your file, then try to upload again.", {"Code": {"ZipFile": b"x"}}),
            (bad, None, {"Code": {"ZipFile": pack({"../evil.py": "x"})}}),
            (bad, "Uploaded file must be a non-empty zip", {"Code": {"ZipFile": pack({})}}),
            (bad, None, {"Runtime": "java21"}),
            (bad, "VpcConfig is not supported by Gramme.", {"VpcConfig": {"SubnetIds": ["subnet-1"]}}),
            (bad, "Publish is not supported by Gramme.", {"Publish": True}),
            (bad, None, {"Environment": {"Variables": {"AWS_REGION": "mars"}}}),
            (bad, None, {"Code": {"S3Bucket": "code", "S3Key": "x"}}),
            (bad, None, {"PackageType": "Image", "Code": {"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/x"}}),
            ("ValidationException", None, {"Role": "nobody"}),
            ("ValidationException", None, {"FunctionName": "what?"}),
            (
                "ValidationException",
                "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900",
                {"Timeout": 901},
            ),
        ):
            self.assert_refused(code, message, create, **arguments)
        elsewhere = f"arn:aws:lambda:eu-west-1:000000000000:function:{name}"
        self.assert_refused(
            "ResourceNotFoundException",
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
            self.functions.get_function,
            FunctionName=elsewhere,
        )
        self.assert_refused("ResourceNotFoundException", None, self.functions.get_function, FunctionName=name, Qualifier="3")

    def test_regions_are_apart(self):
        name = self.create_function(ECHO)["FunctionName"]
        other = client("lambda", region_name="eu-west-1")
        self.assert_refused("ResourceNotFoundException", None, other.get_function, FunctionName=name)
        self.assertEqual([], other.list_functions()["Functions"])

    def test_hidden_state(self):
        """What functions need in the database is nowhere to be seen."""
        self.create_function(ECHO)
        for region in ("us-east-1", "system"):
            tables = client(region_name=region)
            self.assertNotIn("lambda", tables.list_tables()["TableNames"])
            self.assert_refused("ResourceNotFoundException", None, tables.describe_table, TableName="lambda")

    def test_database(self):
        """A handler reaches the database as it does on AWS, without being told where it is."""
        table = self.create_simple()
        code = """
import boto3
table = boto3.resource("dynamodb").Table(%r)
def handler(event, context):
    table.put_item(Item={"pk": event, "by": context.function_name})
    return table.get_item(Key={"pk": event}, ConsistentRead=True)["Item"]
""" % (table.name,)
        name = self.create_function(code)["FunctionName"]
        self.assertEqual({"pk": "x", "by": name}, self.invoke(name, "x")[1])
        self.assertEqual(name, table.get_item(Key={"pk": "x"})["Item"]["by"])

    def test_event(self):
        """An invocation that nobody waits for happens all the same."""
        table = self.create_simple()
        code = """
import boto3
def handler(event, context):
    boto3.resource("dynamodb").Table(%r).put_item(Item={"pk": event})
""" % (table.name,)
        name = self.create_function(code)["FunctionName"]
        answer = self.functions.invoke(FunctionName=name, InvocationType="Event", Payload='"later"')
        self.assertEqual((202, b""), (answer["StatusCode"], answer["Payload"].read()))
        deadline = time.monotonic() + 30
        while "Item" not in table.get_item(Key={"pk": "later"}, ConsistentRead=True):
            self.assertLess(time.monotonic(), deadline)
            pause()

    def test_node(self):
        files = {"index.js": "exports.handler = async (event) => ({ got: event, runtime: process.release.name });"}
        name = self.create_function(files, Runtime="nodejs20.x", Handler="index.handler")["FunctionName"]
        self.assertEqual({"got": [1], "runtime": "node"}, self.invoke(name, [1])[1])

    def test_web_pages(self):
        """No web page calls functions, whatever it signs."""
        def add_origin(request, **_):
            request.headers["Origin"] = "http://localhost:3000"

        pages = client("lambda")
        pages.meta.events.register("before-send.lambda", add_origin)
        self.assert_refused("AccessDeniedException", "This service answers no web page.", pages.list_functions)
