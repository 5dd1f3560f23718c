#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const { values, positionals } = parseArgs({ allowPositionals: true, options: { version: { type: "boolean" }, plan: { type: "boolean" } } });

if (values.version) {
  console.log(manifest.version);
} else {
  const { run } = await import("./task.mjs");
  await run(positionals.join(" "), { plan: values.plan });
}
