import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
  paginateQuery,
  paginateScan,
} from "@aws-sdk/lib-dynamodb";
import { client, createTable, documents, endpoint, key } from "./server.js";

let table; // key: pk
let sorted; // key: pk and sk, with an index of several attributes on either side

before(async () => {
  table = await createTable(key("pk:S"));
  sorted = await createTable({
    KeySchema: key("pk:S", "sk:N").KeySchema,
    AttributeDefinitions: key("pk:S", "sk:N", "tenant:S", "area:S", "year:N", "month:N").AttributeDefinitions,
    GlobalSecondaryIndexes: [
      {
        IndexName: "wide",
        KeySchema: [
          { AttributeName: "tenant", KeyType: "HASH" },
          { AttributeName: "area", KeyType: "HASH" },
          { AttributeName: "year", KeyType: "RANGE" },
          { AttributeName: "month", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "ALL" },
      },
    ],
  });
});

const get = async (pk) => (await documents.send(new GetCommand({ TableName: table, Key: { pk }, ConsistentRead: true }))).Item;

test("documents come back as they went", async () => {
  const Item = {
    pk: "documents",
    text: "é世😀\0\n\"\\",
    empty: "",
    number: -0.125,
    yes: true,
    nothing: null,
    bytes: new Uint8Array([0, 255, 128]),
    strings: new Set(["a", "b"]),
    numbers: new Set([1, 2.5]),
    list: [1, "two", [], {}, [[3]]],
    map: { "a.b": { d: 1 }, c: [null] },
  };
  await documents.send(new PutCommand({ TableName: table, Item }));
  assert.deepEqual(await get("documents"), Item);
});

test("numbers keep 38 digits", async () => {
  const digits = "12345678901234567890.123456789012345678";
  const Item = { pk: { S: "digits" }, n: { N: digits }, ns: { NS: ["1.0", digits] } };
  await client.send(new PutItemCommand({ TableName: table, Item }));
  const back = (await client.send(new GetItemCommand({ TableName: table, Key: { pk: { S: "digits" } } }))).Item;
  assert.equal(back.n.N, digits);
  assert.deepEqual(back.ns.NS.sort(), ["1", digits]);
  const exact = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint }), { unmarshallOptions: { wrapNumbers: true } });
  const wrapped = (await exact.send(new GetCommand({ TableName: table, Key: { pk: "digits" } }))).Item;
  assert.equal(wrapped.n.value, digits);
});

test("updates return what is asked for", async () => {
  const update = (ReturnValues) =>
    documents.send(
      new UpdateCommand({
        TableName: table,
        Key: { pk: "updates" },
        UpdateExpression: "SET #l = list_append(if_not_exists(#l, :none), :one) ADD #n :by",
        ExpressionAttributeNames: { "#l": "list", "#n": "count" },
        ExpressionAttributeValues: { ":none": [], ":one": ["x"], ":by": 2 },
        ReturnValues,
      }),
    );
  assert.deepEqual((await update("ALL_NEW")).Attributes, { pk: "updates", list: ["x"], count: 2 });
  assert.deepEqual((await update("UPDATED_OLD")).Attributes, { list: ["x"], count: 2 });
  assert.deepEqual((await update("UPDATED_NEW")).Attributes, { list: ["x", "x", "x"], count: 6 });
  assert.equal((await update("NONE")).Attributes, undefined);
  const gone = await documents.send(new DeleteCommand({ TableName: table, Key: { pk: "updates" }, ReturnValues: "ALL_OLD" }));
  assert.equal(gone.Attributes.count, 8);
  assert.equal(await get("updates"), undefined);
});

test("a failed condition is an error with the item", async () => {
  await documents.send(new PutCommand({ TableName: table, Item: { pk: "condition", v: 1 } }));
  const put = new PutCommand({
    TableName: table,
    Item: { pk: "condition" },
    ConditionExpression: "attribute_not_exists(pk)",
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  });
  await assert.rejects(documents.send(put), (error) => {
    assert.ok(error instanceof ConditionalCheckFailedException);
    assert.equal(error.message, "The conditional request failed");
    assert.deepEqual(error.Item, { pk: { S: "condition" }, v: { N: "1" } });
    return true;
  });
  assert.deepEqual(await get("condition"), { pk: "condition", v: 1 });
});

test("transactions are all or nothing", async () => {
  await documents.send(
    new TransactWriteCommand({
      TransactItems: [
        { Put: { TableName: table, Item: { pk: "t1", n: 1 } } },
        {
          Update: {
            TableName: table,
            Key: { pk: "t2" },
            UpdateExpression: "SET n = :n",
            ExpressionAttributeValues: { ":n": 2 },
          },
        },
      ],
    }),
  );
  const refused = new TransactWriteCommand({
    TransactItems: [
      { Delete: { TableName: table, Key: { pk: "t1" } } },
      {
        ConditionCheck: {
          TableName: table,
          Key: { pk: "t2" },
          ConditionExpression: "n = :n",
          ExpressionAttributeValues: { ":n": 3 },
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        },
      },
    ],
  });
  await assert.rejects(documents.send(refused), (error) => {
    assert.ok(error instanceof TransactionCanceledException);
    assert.deepEqual(error.CancellationReasons.map((r) => r.Code), ["None", "ConditionalCheckFailed"]);
    assert.deepEqual(error.CancellationReasons[1].Item, { pk: { S: "t2" }, n: { N: "2" } });
    return true;
  });
  const { Responses } = await documents.send(
    new TransactGetCommand({
      TransactItems: ["t1", "t2", "t3"].map((pk) => ({ Get: { TableName: table, Key: { pk } } })),
    }),
  );
  assert.deepEqual(Responses.map((r) => r.Item?.n), [1, 2, undefined]);
});

test("batches, queries and scans in pages", async () => {
  const items = Array.from({ length: 40 }, (_, i) => ({ pk: `p${i % 2}`, sk: i, v: `value ${i}` }));
  for (let i = 0; i < items.length; i += 25) {
    const requests = items.slice(i, i + 25).map((Item) => ({ PutRequest: { Item } }));
    const { UnprocessedItems } = await documents.send(new BatchWriteCommand({ RequestItems: { [sorted]: requests } }));
    assert.deepEqual(UnprocessedItems, {});
  }
  const found = [];
  const query = {
    TableName: sorted,
    KeyConditionExpression: "pk = :p AND sk BETWEEN :a AND :b",
    FilterExpression: "v <> :x",
    ProjectionExpression: "sk",
    ExpressionAttributeValues: { ":p": "p1", ":a": 5, ":b": 30, ":x": "value 31" },
    ScanIndexForward: false,
  };
  for await (const page of paginateQuery({ client: documents, pageSize: 4 }, query)) found.push(...page.Items.map((i) => i.sk));
  assert.deepEqual(found, [29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5]);

  const scanned = [];
  const segments = [0, 1, 2].map(async (Segment) => {
    const scan = { TableName: sorted, Segment, TotalSegments: 3, FilterExpression: "attribute_exists(v)" };
    for await (const page of paginateScan({ client: documents, pageSize: 5 }, scan)) scanned.push(...page.Items.map((i) => i.sk));
  });
  await Promise.all(segments);
  assert.deepEqual(scanned.sort((a, b) => a - b), items.map((i) => i.sk));

  const { Responses } = await documents.send(
    new BatchGetCommand({ RequestItems: { [sorted]: { Keys: items.slice(0, 30).map(({ pk, sk }) => ({ pk, sk })) } } }),
  );
  assert.equal(Responses[sorted].length, 30);
  const { Count } = await documents.send(new ScanCommand({ TableName: sorted, Select: "COUNT", FilterExpression: "attribute_exists(v)" }));
  assert.equal(Count, 40);
});

test("an index over several attributes", async () => {
  for (const [sk, year, month] of [[1001, 2024, 1], [1002, 2024, 2], [1003, 2025, 1]]) {
    await documents.send(new PutCommand({ TableName: sorted, Item: { pk: "wide", sk, tenant: "t", area: "a", year, month } }));
  }
  const query = (KeyConditionExpression, ExpressionAttributeValues) =>
    documents.send(
      new QueryCommand({
        TableName: sorted,
        IndexName: "wide",
        KeyConditionExpression,
        ExpressionAttributeNames: Object.fromEntries(
          Object.entries({ "#t": "tenant", "#y": "year", "#m": "month" }).filter(([name]) => KeyConditionExpression.includes(name)),
        ),
        ExpressionAttributeValues: { ":t": "t", ":a": "a", ...ExpressionAttributeValues },
      }),
    );
  const within = async (condition, values) => (await query(condition, values)).Items.map((i) => i.sk);
  assert.deepEqual(await within("#t = :t AND area = :a AND #y >= :y", { ":y": 2024 }), [1001, 1002, 1003]);
  assert.deepEqual(await within("#t = :t AND area = :a AND #y = :y AND #m > :m", { ":y": 2024, ":m": 1 }), [1002]);
  await assert.rejects(within("#t = :t AND area = :a AND #m > :m", { ":m": 1 }), { name: "ValidationException" });
});

test("refusals carry the service's words", async () => {
  await assert.rejects(documents.send(new GetCommand({ TableName: table, Key: { nope: 1 } })), {
    name: "ValidationException",
    message: "The provided key element does not match the schema",
  });
  await assert.rejects(documents.send(new PutCommand({ TableName: table, Item: { pk: "" } })), {
    name: "ValidationException",
    message: "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
  });
});

test("a large answer arrives whole", async () => {
  const Item = { pk: "large", v: "x".repeat(390 * 1024) };
  await documents.send(new PutCommand({ TableName: table, Item }));
  assert.deepEqual(await get("large"), Item);
});
