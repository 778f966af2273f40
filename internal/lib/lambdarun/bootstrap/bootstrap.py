"""Runs a Python handler under the Lambda Runtime API.

It is started in the directory of the function's code, with the environment that Lambda functions have.
"""

import http.client
import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from types import SimpleNamespace

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
BASE = "/2018-06-01/runtime"


class Fault(Exception):
    """What is wrong with a function before or after its handler runs."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


def call(connection, method, path, body=None, headers=None):
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return response, response.read()


def load_handler(name):
    module_name, dot, function = name.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as e:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {e}") from e
    except SyntaxError as e:
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {e}") from e
    try:
        return getattr(module, function)
    except AttributeError as e:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'") from e


def describe(e, request_id=""):
    """The error document of an exception, without the frames of this file."""
    if isinstance(e, Fault):
        return {"errorMessage": str(e), "errorType": e.kind, "requestId": request_id, "stackTrace": []}
    frames = traceback.extract_tb(e.__traceback__)
    frames = [f for f in frames if f.filename != __file__ and not f.filename.startswith("<frozen")]
    return {
        "errorMessage": str(e),
        "errorType": type(e).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list(frames),
    }


def tell(document):
    """Write an error to the log."""
    text = f"[ERROR] {document['errorType']}: {document['errorMessage']}\n"
    if document["stackTrace"]:
        text += "Traceback (most recent call last):\n" + "".join(document["stackTrace"])
    print(text, end="", flush=True)


class Context:
    """The context object of a handler."""

    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = client_context(headers.get("Lambda-Runtime-Client-Context"))
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        print(message, flush=True)


def client_context(text):
    if not text:
        return None
    sent = json.loads(text)
    client = SimpleNamespace(**dict.fromkeys(("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")))
    if isinstance(sent.get("client"), dict):
        vars(client).update(sent["client"])
    return SimpleNamespace(client=client, custom=sent.get("custom"), env=sent.get("env"))


def answer(handler, event, context):
    """The path and the body of the answer to an event."""
    try:
        result = handler(json.loads(event), context)
        try:
            return "response", json.dumps(result, default=decimal_or_fault, ensure_ascii=False)
        except Fault:
            raise
        except (TypeError, ValueError) as e:
            raise Fault("Runtime.MarshalError", f"Unable to marshal response: {e}") from e
    except SystemExit:
        sys.stdout.flush()
        raise
    except BaseException as e:
        document = describe(e, context.aws_request_id)
        tell(document)
        return "error", json.dumps(document)


def decimal_or_fault(value):
    """JSON for what boto3 reads from a table."""
    if type(value).__name__ == "Decimal":
        return int(value) if value == value.to_integral_value() else float(value)
    raise Fault("Runtime.MarshalError", f"Unable to marshal response: Object of type {type(value).__name__} is not JSON serializable")


def end_with_server():
    """End the process when the server is gone that would take its answers."""
    try:
        call(http.client.HTTPConnection(API), "GET", "/alive")
    except OSError:
        pass
    os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)


def main():
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)
    sys.stderr.reconfigure(encoding="utf-8", line_buffering=True)
    threading.Thread(target=end_with_server, daemon=True).start()
    connection = http.client.HTTPConnection(API)
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as e:
        document = describe(e)
        tell(document)
        headers = {"Lambda-Runtime-Function-Error-Type": document["errorType"], "Content-Type": "application/json"}
        call(connection, "POST", BASE + "/init/error", json.dumps(document).encode(), headers)
        sys.exit(1)
    while True:
        response, event = call(connection, "GET", BASE + "/invocation/next")
        context = Context(response.headers)
        path, body = answer(handler, event, context)
        sys.stdout.flush()
        sys.stderr.flush()
        call(
            connection,
            "POST",
            f"{BASE}/invocation/{context.aws_request_id}/{path}",
            body.encode("utf-8", "surrogatepass"),
            {"Content-Type": "application/json"},
        )


if __name__ == "__main__":
    main()
