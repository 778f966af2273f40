// The server under test, and what the tests share.
import { randomUUID } from "node:crypto";
import { after } from "node:test";
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

export const endpoint = process.env.GRAMME_URL;
export const client = new DynamoDBClient({ endpoint, maxAttempts: 1 });
export const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });

const made = []; // the tables to delete in the end
after(() => Promise.all(made.map(dropTable)));

const polls = { client, minDelay: 1, maxDelay: 2, maxWaitTime: 60 };

// key returns the members of CreateTable that a primary key needs; attributes are written "name:TYPE".
export function key(...attributes) {
  const parts = attributes.map((a) => a.split(":"));
  return {
    KeySchema: parts.map(([AttributeName], i) => ({ AttributeName, KeyType: i === 0 ? "HASH" : "RANGE" })),
    AttributeDefinitions: parts.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
  };
}

// createTable makes an on-demand table with a name of its own, which is deleted after the file's tests, and returns the name.
export async function createTable(definition) {
  const TableName = `e2e-${randomUUID()}`;
  await client.send(new CreateTableCommand({ TableName, BillingMode: "PAY_PER_REQUEST", ...definition }));
  made.push(TableName);
  await waitUntilTableExists(polls, { TableName });
  return TableName;
}

export async function dropTable(TableName) {
  try {
    await client.send(new DeleteTableCommand({ TableName }));
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return;
    throw error;
  }
  await waitUntilTableNotExists(polls, { TableName });
}
