// ElectroDB: entities with composed keys in one table, with an index for other ways to them.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Entity, Service } from "electrodb";
import { client, createTable, key } from "./server.js";

let service; // of the entities employees and tasks

before(async () => {
  const index = (name) => ({
    IndexName: name,
    KeySchema: key(`${name}pk:S`, `${name}sk:S`).KeySchema,
    Projection: { ProjectionType: "ALL" },
  });
  const table = await createTable({
    KeySchema: key("pk:S", "sk:S").KeySchema,
    AttributeDefinitions: key("pk:S", "sk:S", "gsi1pk:S", "gsi1sk:S").AttributeDefinitions,
    GlobalSecondaryIndexes: [index("gsi1")],
  });
  service = new Service({ employees: employees(), tasks: tasks() }, { table, client });
});

const office = {
  index: "gsi1",
  collection: "office",
  pk: { field: "gsi1pk", composite: ["office"] },
};

const employees = () =>
  new Entity({
    model: { entity: "employee", version: "1", service: "work" },
    attributes: {
      id: { type: "string", required: true },
      office: { type: "string", required: true },
      name: { type: "string", required: true },
      salary: { type: "number", default: 1000 },
      skills: { type: "set", items: "string" },
      address: { type: "map", properties: { street: { type: "string" }, number: { type: "number" } } },
      log: { type: "list", items: { type: "string" } },
    },
    indexes: {
      primary: { pk: { field: "pk", composite: ["id"] }, sk: { field: "sk", composite: [] } },
      office: { ...office, sk: { field: "gsi1sk", composite: ["name", "id"] } },
    },
  });

const tasks = () =>
  new Entity({
    model: { entity: "task", version: "1", service: "work" },
    attributes: {
      id: { type: "string", required: true },
      office: { type: "string", required: true },
      points: { type: "number", required: true, padding: { length: 4, char: "0" } },
      state: { type: ["open", "closed"], default: "open" },
    },
    indexes: {
      primary: { pk: { field: "pk", composite: ["id"] }, sk: { field: "sk", composite: [] } },
      office: { ...office, sk: { field: "gsi1sk", composite: ["points"] } },
    },
  });

test("create, get, update and delete", async () => {
  const { employees } = service.entities;
  const address = { street: "St James's Square", number: 12 };
  const ada = { id: "ada", office: "london", name: "Ada", skills: ["mathematics"], address, log: [] };
  const made = await employees.create(ada).go();
  assert.deepEqual(made.data, { ...ada, salary: 1000 });
  await assert.rejects(employees.create(ada).go(), (error) => {
    assert.equal(error.cause.name, "ConditionalCheckFailedException");
    return true;
  });

  const updated = await employees
    .update({ id: "ada" })
    .add({ salary: 50, skills: ["engines"] })
    .append({ log: ["raised"] })
    .data((attributes, { set }) => set(attributes.address.number, 13))
    .where(({ salary }, { eq }) => eq(salary, 1000))
    .go({ response: "all_new" });
  assert.deepEqual(updated.data, {
    ...ada,
    salary: 1050,
    skills: ["engines", "mathematics"],
    address: { ...address, number: 13 },
    log: ["raised"],
  });
  assert.deepEqual((await employees.get({ id: "ada" }).go()).data, updated.data);
  assert.deepEqual((await employees.get({ id: "ada" }).go({ attributes: ["name", "salary"] })).data, { name: "Ada", salary: 1050 });

  await assert.rejects(employees.patch({ id: "nobody" }).set({ salary: 1 }).go(), { name: "ElectroError" });
  assert.equal((await employees.upsert({ ...ada, id: "bea", name: "Bea" }).go({ response: "all_new" })).data.name, "Bea");
  assert.equal((await employees.remove({ id: "bea" }).go({ response: "all_old" })).data.id, "bea");
  assert.equal((await employees.get({ id: "bea" }).go()).data, null);
});

test("queries in pages, of one entity and of a collection", async () => {
  const { employees, tasks } = service.entities;
  const staff = Array.from({ length: 30 }, (_, i) => ({ id: `p${i}`, office: "paris", name: `name ${String(i).padStart(2, "0")}` }));
  assert.deepEqual((await employees.put(staff).go()).unprocessed, []);
  await tasks.put([8, 5, 13].map((points) => ({ id: `t${points}`, office: "paris", points }))).go();

  const names = [];
  let cursor = null;
  let pages = 0;
  do {
    const page = await employees.query.office({ office: "paris" }).go({ cursor, limit: 7 });
    names.push(...page.data.map((e) => e.name));
    cursor = page.cursor;
    pages++;
  } while (cursor);
  assert.deepEqual(names, staff.map((e) => e.name));
  assert.ok(pages >= 5, `${pages} pages`);

  const some = await employees.query
    .office({ office: "paris" })
    .between({ name: "name 10" }, { name: "name 15" }) // a key goes on with the id: that of 15 is greater
    .where(({ id }, { ne }) => ne(id, "p12"))
    .go({ order: "desc" });
  assert.deepEqual(some.data.map((e) => e.id), ["p14", "p13", "p11", "p10"]);

  const all = await service.collections.office({ office: "paris" }).go({ pages: "all" });
  assert.equal(all.data.employees.length, 30);
  assert.deepEqual(all.data.tasks.map((t) => t.points), [5, 8, 13]);

  const batch = await employees.get(staff.map(({ id }) => ({ id }))).go({ preserveBatchOrder: true });
  assert.deepEqual(batch.data.map((e) => e.id), staff.map((e) => e.id));
  const scanned = await tasks.scan.where(({ points }, { gte }) => gte(points, 8)).go({ pages: "all" });
  assert.deepEqual(scanned.data.map((t) => t.points).sort((a, b) => a - b), [8, 13]);
});

test("transactions", async () => {
  const { employees } = service.entities;
  const written = await service.transaction
    .write(({ employees, tasks }) => [
      employees.create({ id: "tia", office: "turin", name: "Tia" }).commit(),
      tasks.create({ id: "tt", office: "turin", points: 1 }).commit(),
    ])
    .go();
  assert.equal(written.canceled, false);

  const refused = await service.transaction
    .write(({ employees, tasks }) => [
      employees.patch({ id: "tia" }).set({ salary: 1 }).commit(),
      tasks.create({ id: "tt", office: "turin", points: 2 }).commit({ response: "all_old" }),
    ])
    .go();
  assert.equal(refused.canceled, true);
  assert.deepEqual(refused.data.map((d) => d.code), ["None", "ConditionalCheckFailed"]);
  assert.equal(refused.data[1].item.points, 1);
  assert.equal((await employees.get({ id: "tia" }).go()).data.salary, 1000);

  const read = await service.transaction
    .get(({ employees, tasks }) => [employees.get({ id: "tia" }).commit(), tasks.get({ id: "none" }).commit()])
    .go();
  assert.deepEqual(read.data.map((d) => d.item?.name ?? null), ["Tia", null]);
});
