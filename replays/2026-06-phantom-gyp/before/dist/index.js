"use strict";
const ok = (value) => ({ ok: true, value });
const err = (error) => ({ ok: false, error });

async function run(work) {
  try {
    return ok(await work());
  } catch (error) {
    return err(error);
  }
}

async function all(results) {
  const values = [];
  for (const one of await Promise.all(results)) {
    if (!one.ok) return one;
    values.push(one.value);
  }
  return ok(values);
}

module.exports = { ok, err, run, all };
