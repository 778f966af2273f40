// DynamoDB OneTable: a schema with models in one table, which it also makes itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { randomUUID } from "node:crypto";
import { Table } from "dynamodb-onetable";
import { client, dropTable } from "./server.js";

const schema = {
  format: "onetable:1.1.0",
  version: "0.0.1",
  indexes: {
    primary: { hash: "pk", sort: "sk" },
    gsi1: { hash: "gsi1pk", sort: "gsi1sk", project: "all" },
    local: { type: "local", sort: "amount", project: ["id"] },
  },
  models: {
    Account: {
      pk: { type: String, value: "account#${id}" },
      sk: { type: String, value: "account#" },
      id: { type: String, generate: "ulid" },
      name: { type: String, required: true, unique: true },
      balance: { type: Number, default: 0 },
      tags: { type: Set },
      opened: { type: Date },
      owner: { type: Object, schema: { city: { type: String }, since: { type: Number } } },
    },
    Invoice: {
      pk: { type: String, value: "account#${account}" },
      sk: { type: String, value: "invoice#${id}" },
      gsi1pk: { type: String, value: "invoice#${state}" },
      gsi1sk: { type: String, value: "${id}" },
      account: { type: String, required: true },
      id: { type: String, required: true },
      amount: { type: Number, required: true },
      state: { type: String, enum: ["open", "paid"], default: "open" },
    },
  },
  params: { isoDates: true, timestamps: true },
};

const table = new Table({ name: `e2e-${randomUUID()}`, client, schema, partial: true, logger: false });
const Account = table.getModel("Account");
const Invoice = table.getModel("Invoice");

before(() => table.createTable());
after(() => dropTable(table.name));

test("the table is as the schema says", async () => {
  assert.equal(await table.exists(), true);
  const { Table: described } = await table.describeTable();
  assert.deepEqual(described.KeySchema.map((k) => k.AttributeName), ["pk", "sk"]);
  assert.deepEqual(described.GlobalSecondaryIndexes.map((i) => i.IndexName), ["gsi1"]);
  assert.deepEqual(described.LocalSecondaryIndexes[0].Projection.NonKeyAttributes, ["id"]);
  assert.ok((await table.listTables()).includes(table.name));
});

test("create, get, update and remove", async () => {
  const opened = new Date("2024-02-29T12:00:00.250Z");
  const made = await Account.create({ name: "Acme", tags: new Set(["a"]), opened, owner: { city: "Liège", since: 1869 } });
  assert.equal(made.balance, 0);
  const { id } = made;
  const got = await Account.get({ id }, { consistent: true });
  assert.deepEqual(got, made);
  assert.deepEqual(got.opened, opened);

  await assert.rejects(Account.create({ name: "Acme" }), { name: "OneTableError", code: "UniqueError" });

  const updated = await Account.update({ id }, { add: { balance: 5 }, set: { "owner.city": "Paris" }, remove: ["opened"] });
  assert.equal(updated.balance, 5);
  assert.deepEqual(updated.owner, { city: "Paris", since: 1869 });
  assert.equal(updated.opened, undefined);
  await assert.rejects(Account.update({ id, balance: 1 }, { where: "${balance} > {100}" }), { name: "OneTableError" });

  await Account.remove({ id });
  assert.equal(await Account.get({ id }), undefined);
  assert.equal((await Account.create({ name: "Acme" })).name, "Acme"); // the name is free again
});

test("queries and scans in pages, batches", async () => {
  const account = "pages";
  const batch = {};
  for (let i = 0; i < 20; i++) await Invoice.create({ account, id: String(i).padStart(2, "0"), amount: 100 - i }, { batch });
  await table.batchWrite(batch);

  const ids = [];
  let next;
  do {
    const page = await Invoice.find({ account, sk: { begins: "invoice#" } }, { limit: 6, next });
    ids.push(...page.map((i) => i.id));
    next = page.next;
  } while (next);
  assert.deepEqual(ids, Array.from({ length: 20 }, (_, i) => String(i).padStart(2, "0")));

  await Invoice.update({ account, id: "03", state: "paid" });
  const paid = await Invoice.find({ state: "paid" }, { index: "gsi1" });
  assert.deepEqual(paid.map((i) => [i.id, i.amount]), [["03", 97]]);
  const last = await Invoice.find({ account, amount: { between: [85, 90] } }, { index: "local", reverse: true });
  assert.deepEqual(last.map((i) => i.id), ["10", "11", "12", "13", "14", "15"]);
  const costly = await Invoice.find({ account }, { where: "(${amount} >= {98}) and (${state} = {open})" });
  assert.deepEqual(costly.map((i) => i.id), ["00", "01", "02"]);
  assert.equal((await Invoice.scan({}, { count: true })).count, 20);

  const gets = {};
  for (const id of ["05", "06"]) await Invoice.get({ account, id }, { batch: gets });
  const got = await table.batchGet(gets, { parse: true, hidden: false });
  assert.deepEqual(got.map((i) => i.id).sort(), ["05", "06"]);
});

test("transactions", async () => {
  const account = "transactions";
  const transaction = {};
  await Invoice.create({ account, id: "a", amount: 1 }, { transaction });
  await Invoice.create({ account, id: "b", amount: 2 }, { transaction });
  await table.transact("write", transaction);
  assert.equal((await Invoice.find({ account })).length, 2);

  const refused = {};
  await Invoice.update({ account, id: "a", amount: 10 }, { transaction: refused });
  await Invoice.create({ account, id: "b", amount: 20 }, { transaction: refused });
  await assert.rejects(table.transact("write", refused), (error) => {
    assert.equal(error.code, "TransactionCanceledException");
    return true;
  });
  assert.equal((await Invoice.get({ account, id: "a" })).amount, 1);
});
