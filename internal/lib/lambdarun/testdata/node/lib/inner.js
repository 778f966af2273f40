exports.handler = async () => 'in a directory';
