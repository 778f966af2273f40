import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ListTagsOfResourceCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  TagResourceCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  CreateTableCommand,
  paginateListTables,
} from "@aws-sdk/client-dynamodb";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { client, createTable, dropTable, endpoint, key } from "./server.js";

const describe = async (TableName) => (await client.send(new DescribeTableCommand({ TableName }))).Table;

test("a table is made, described and deleted", async () => {
  const TableName = await createTable(key("pk:S", "sk:N"));
  const table = await describe(TableName);
  assert.equal(table.TableStatus, "ACTIVE");
  assert.ok(table.CreationDateTime instanceof Date);
  assert.deepEqual(table.KeySchema, key("pk:S", "sk:N").KeySchema);
  await assert.rejects(client.send(new CreateTableCommand({ TableName, BillingMode: "PAY_PER_REQUEST", ...key("pk:S") })), (error) => {
    assert.ok(error instanceof ResourceInUseException);
    assert.equal(error.message, `Table already exists: ${TableName}`);
    return true;
  });
  await dropTable(TableName);
  await assert.rejects(describe(TableName), (error) => {
    assert.ok(error instanceof ResourceNotFoundException);
    assert.equal(error.name, "ResourceNotFoundException");
    assert.equal(error.message, `Requested resource not found: Table: ${TableName} not found`);
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.equal(error.$metadata.requestId.length, 52);
    return true;
  });
});

test("tables are listed in pages", async () => {
  const made = await Promise.all([1, 2, 3].map(() => createTable(key("pk:S"))));
  const listed = [];
  for await (const page of paginateListTables({ client, pageSize: 1 }, {})) listed.push(...page.TableNames);
  assert.deepEqual(listed.filter((name) => made.includes(name)), made.sort());
});

test("newer members: deletion protection, maxima on demand, warm throughput", async () => {
  const TableName = await createTable({
    ...key("pk:S"),
    DeletionProtectionEnabled: true,
    OnDemandThroughput: { MaxReadRequestUnits: 10, MaxWriteRequestUnits: 20 },
  });
  const table = await describe(TableName);
  assert.equal(table.DeletionProtectionEnabled, true);
  assert.deepEqual(table.OnDemandThroughput, { MaxReadRequestUnits: 10, MaxWriteRequestUnits: 20 });
  assert.equal(table.WarmThroughput.ReadUnitsPerSecond, 12000);
  await assert.rejects(dropTable(TableName), {
    name: "ValidationException",
    message: "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
  });
  await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
  assert.equal((await describe(TableName)).DeletionProtectionEnabled, false);
});

test("tags and time to live", async () => {
  const TableName = await createTable({ ...key("pk:S"), Tags: [{ Key: "a", Value: "1" }] });
  const ResourceArn = (await describe(TableName)).TableArn;
  await client.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: "b", Value: "" }] }));
  const { Tags } = await client.send(new ListTagsOfResourceCommand({ ResourceArn }));
  assert.deepEqual(Object.fromEntries(Tags.map((t) => [t.Key, t.Value])), { a: "1", b: "" });
  const TimeToLiveSpecification = { AttributeName: "expires", Enabled: true };
  const set = await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  assert.deepEqual(set.TimeToLiveSpecification, TimeToLiveSpecification);
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
  assert.equal(TimeToLiveDescription.AttributeName, "expires");
});

test("STS names the account of the tables", async () => {
  const { Account } = await new STSClient({ endpoint }).send(new GetCallerIdentityCommand({}));
  const { TableArn } = await describe(await createTable(key("pk:S")));
  assert.equal(TableArn.split(":")[4], Account);
});
