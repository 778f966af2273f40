let calls = 0;
exports.echo = async (event) => {
  console.log('got', JSON.stringify(event));
  return event;
};
exports.count = async () => ({ calls: ++calls });
exports.contextOf = async (event, context) => ({
  id: context.awsRequestId,
  arn: context.invokedFunctionArn,
  name: context.functionName,
  memory: context.memoryLimitInMB,
  left: context.getRemainingTimeInMillis() > 0,
  client: context.clientContext?.custom,
  root: process.env.LAMBDA_TASK_ROOT === process.cwd(),
});
exports.fail = async () => {
  throw new TypeError('missing');
};
exports.callback = (event, context, callback) => setTimeout(() => callback(null, 'called back'), 1);
exports.callbackError = (event, context, callback) => callback(new Error('called back'));
exports.nothing = () => {};
exports.throwsText = async () => {
  throw 'a text';
};
exports.circular = async () => {
  const a = {};
  a.a = a;
  return a;
};
exports.leave = async () => {
  console.log('leaving');
  process.exit(4);
};
exports.hang = async () => {
  for (;;);
};
exports.later = () =>
  new Promise(() => {
    setTimeout(() => {
      throw new Error('nobody catches it');
    }, 1);
  });
exports.value = 'not a function';
