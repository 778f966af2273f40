import os
import sys
from decimal import Decimal

calls = 0


def echo(event, context):
    print("got", event)
    return event


def count(event, context):
    global calls
    calls += 1
    return {"calls": calls}


def context_of(event, context):
    return {
        "id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "memory": context.memory_limit_in_mb,
        "left": 0 < context.get_remaining_time_in_millis() <= 60000,
        "client": context.client_context.custom if context.client_context else None,
        "root": os.environ["LAMBDA_TASK_ROOT"] == os.getcwd(),
    }


def fail(event, context):
    raise KeyError("missing")


def decimals(event, context):
    return [Decimal("3"), Decimal("2.5")]


def unserializable(event, context):
    return {1, 2}


def leave(event, context):
    print("leaving")
    sys.exit(4)


def hang(event, context):
    while True:
        pass


def unicode(event, context):
    print("é")
    return "é" + event
