"""Makes golden.json: requests signed by botocore's signers. Run by hand: python3 golden.py > golden.json"""

import datetime
import json
import sys
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 3, 1, 12, 30, 45, tzinfo=datetime.timezone.utc)
KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
HOST = "127.0.0.1:8000"

JSON = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.GetItem",
}

# name, signer, method, path and query, headers, body, region, service, session token
CASES = [
    ("get item", "header", "POST", "/", JSON, '{"TableName":"t"}', "us-east-1", "dynamodb", None),
    ("empty body", "header", "POST", "/", JSON, "", "us-east-1", "dynamodb", None),
    ("text beyond ASCII", "header", "POST", "/", JSON, '{"TableName":"é☃"}', "eu-west-1", "dynamodb", None),
    ("session token", "header", "POST", "/", JSON, "{}", "us-east-1", "dynamodb", "FwoGZXIvYXdzEXAMPLE=="),
    ("blanks in a header", "header", "POST", "/", {**JSON, "X-Amz-Note": "  a   b  c "}, "{}", "us-east-1", "dynamodb", None),
    ("unsigned payload", "header", "POST", "/", {**JSON, "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}, "{}", "us-east-1", "dynamodb", None),
    ("path", "header", "POST", "/a/b/", {}, "{}", "us-east-1", "dynamodb", None),
    ("path with dots", "header", "POST", "/a/./b//../c", {}, "{}", "us-east-1", "dynamodb", None),
    ("path with escapes", "header", "POST", "/arn%3Aaws/a%20b/~x", {}, "{}", "us-east-1", "dynamodb", None),
    ("query", "header", "GET", "/?b=2&a=3&a=1&c&d=%2Fx%20y~z", {}, "", "us-east-1", "sts", None),
    ("form", "header", "POST", "/", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
     "Action=GetCallerIdentity&Version=2011-06-15", "us-east-1", "sts", None),
    ("presigned", "query", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {}, "", "us-east-1", "sts", None),
    ("presigned with token", "query", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {}, "", "us-east-1", "sts", "Fwo/Gz+w=="),
    ("presigned with header", "query", "GET", "/?Action=GetCallerIdentity", {"x-k8s-aws-id": "cluster one"}, "", "us-west-2", "sts", None),
]


def signed(name, form, method, target, headers, body, region, service, token):
    request = AWSRequest(method=method, url="http://" + HOST + target, data=body.encode(), headers=headers)
    credentials = Credentials(KEY, SECRET, token)
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        if form == "header":
            botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
        else:
            botocore.auth.SigV4QueryAuth(credentials, service, region, expires=900).add_auth(request)
    path, _, query = request.url.removeprefix("http://" + HOST).partition("?")
    return {
        "name": name, "method": method, "path": path, "query": query, "body": body, "region": region,
        "service": service, "token": token or "",
        "headers": {"host": HOST, **{k.lower(): v for k, v in request.headers.items()}},
    }


json.dump({
    "time": NOW.strftime("%Y%m%dT%H%M%SZ"), "access_key": KEY, "secret": SECRET,
    "cases": [signed(*c) for c in CASES],
}, sys.stdout, indent=1, ensure_ascii=False)
