module.exports = function invariant(condition, message) {
  if (!condition) throw new Error('Invariant failed: ' + message);
};
