// Runs a Node.js handler under the Lambda Runtime API. It is started in the directory of the function's code, with the
// environment that Lambda functions have.

import { existsSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const base = '/2018-06-01/runtime';
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

// A Fault is what is wrong with a function before or after its handler runs.
class Fault extends Error {
  constructor(kind, text) {
    super(text);
    this.name = kind;
  }
}

function call(method, url, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json' };
    if (body !== undefined) headers['Content-Length'] = Buffer.byteLength(body);
    const request = http.request({ host, port, method, path: url, headers, agent }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString() }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function importModule(file) {
  if (file.endsWith('.mjs')) return import(pathToFileURL(file));
  try {
    return createRequire(file)(file);
  } catch (e) {
    if (e.code !== 'ERR_REQUIRE_ESM' && e.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw e;
    return import(pathToFileURL(file)); // "type": "module"
  }
}

async function load(name) {
  const root = process.env.LAMBDA_TASK_ROOT;
  const found = /^(.*\/)?([^/.]*)\.(.+)$/.exec(name);
  if (!found) throw new Fault('Runtime.MalformedHandlerName', 'Bad handler');
  const [, dir = '', module, exported] = found;
  const file = ['.js', '.mjs', '.cjs', ''].map((ending) => path.join(root, dir, module + ending)).find((f) => existsSync(f));
  if (!file) throw new Fault('Runtime.ImportModuleError', `Error: Cannot find module '${module}'`);
  let handler;
  try {
    handler = exported.split('.').reduce((object, key) => object?.[key], await importModule(file));
  } catch (e) {
    if (e instanceof SyntaxError) throw new Fault('Runtime.UserCodeSyntaxError', String(e));
    if (e?.code === 'MODULE_NOT_FOUND' || e?.code === 'ERR_MODULE_NOT_FOUND') throw new Fault('Runtime.ImportModuleError', String(e));
    throw e;
  }
  if (handler === undefined) throw new Fault('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw new Fault('Runtime.HandlerNotFound', `${name} is not a function`);
  return handler;
}

// describe makes the error document of what was thrown, which may be anything.
function describe(e) {
  if (!(e instanceof Error) && !(e && typeof e.stack === 'string')) {
    return { errorType: typeof e, errorMessage: String(e), trace: [] };
  }
  return { errorType: e.name, errorMessage: e.message, trace: (e.stack ?? '').split('\n') };
}

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const sent = headers['lambda-runtime-client-context'];
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: sent ? JSON.parse(sent) : undefined,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

// run calls a handler of either kind: one that returns a promise, or one that takes a callback.
function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (e, result) => (e === undefined || e === null ? resolve(result) : reject(e));
    const result = handler(event, context, callback);
    if (typeof result?.then === 'function') result.then(resolve, reject);
    else if (handler.length < 3) resolve(result);
  });
}

function marshal(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? 'null';
  } catch (e) {
    throw new Fault('Runtime.MarshalError', `Unable to marshal response: ${e.message}`);
  }
}

function tell(e) {
  const document = describe(e);
  console.error(document.trace.length > 0 ? document.trace.join('\n') : `${document.errorType}: ${document.errorMessage}`);
  return JSON.stringify(document);
}

// flushed waits until what was printed has been written: to a pipe that happens in the background.
const flushed = () => Promise.all([process.stdout, process.stderr].map((s) => new Promise((done) => s.write('', done))));

// fail reports what no handler caught, and ends the process.
let current = null;
async function fail(kind, e) {
  const document = JSON.stringify({ ...describe(e), errorType: kind, errorMessage: String(e) });
  tell(e);
  await flushed();
  await call('POST', current ? `${base}/invocation/${current}/error` : `${base}/init/error`, document).catch(() => {});
  process.exit(1);
}

process.on('uncaughtException', (e) => fail('Runtime.UnhandledException', e));
process.on('unhandledRejection', (e) => fail('Runtime.UnhandledPromiseRejection', e));

// End with the server that would take the answers.
http.get({ host, port, path: '/alive', agent: false }, (r) => r.on('close', () => process.exit(1)).resume()).on('error', () => process.exit(1));

let handler;
try {
  handler = await load(process.env._HANDLER);
} catch (e) {
  const document = tell(e);
  await flushed();
  await call('POST', `${base}/init/error`, document);
  process.exit(1);
}
for (;;) {
  const { headers, body } = await call('GET', `${base}/invocation/next`);
  const context = contextOf(headers);
  current = context.awsRequestId;
  let outcome = 'response';
  let answer;
  try {
    answer = marshal(await run(handler, JSON.parse(body), context));
  } catch (e) {
    outcome = 'error';
    answer = tell(e);
  }
  await flushed();
  await call('POST', `${base}/invocation/${current}/${outcome}`, answer);
  current = null;
}
