// Patterns and events of which pages are made.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PATTERN = `
/// An order that is paid in full, with no refund before.
pattern paid_in_full
key order_id
begin create where type == "create"
notFollowedBy refund where type == "refund"
followedBy pay where type == "pay" and amount == create.amount
within 15m
`;

/** Each view with each later pay: many runs. */
const MANY = `
pattern many
key order_id
begin view where type == "view"
followedByAny cart where type == "cart"
followedByAny pay where type == "pay" and amount > cart.amount
within 30m
`;

/** One match, one run that a refund ends, one timeout. */
const TEN = [
  [0, "create", 20], [70, "view", 0], [210, "pay", 5], [300, "pay", 20], [1320, "ship", 0],
  [1380, "create", 35], [1560, "refund", 35], [1920, "create", 40], [2100, "pay", 12], [2920, "pay", 41],
];

/** Always the same: numbers that look drawn. */
function* numbers(seed) {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

function drawn(count) {
  const random = numbers(7);
  const next = (most) => Math.floor(random.next().value * most);
  let seconds = 0;
  return Array.from({ length: count }, () => {
    seconds += [0, 1, 20, 90, 400][next(5)];
    return [seconds, ["create", "view", "cart", "pay", "ship", "refund"][next(6)], next(30)];
  });
}

const START = Date.parse("2026-11-20T21:58:00Z");

function page(name, pattern, events) {
  const folder = mkdtempSync(join(tmpdir(), "ensue-pages-"));
  const file = (ending) => join(folder, name + ending);
  writeFileSync(file(".pattern"), pattern);
  const line = ([seconds, type, amount]) =>
    JSON.stringify({ order_id: 7, type, amount, note: `<b>${amount}</b>`, ts: new Date(START + seconds * 1000).toISOString() });
  writeFileSync(file(".jsonl"), events.map(line).join("\n"));
  const options = ["trace", file(".pattern"), "-i", file(".jsonl"), "--time", "ts", "--key", "7", "--html", file(".html")];
  const said = execFileSync(process.env.ENSUE, options, { encoding: "utf8" });
  return { path: file(".html"), said, bytes: readFileSync(file(".html")).length };
}

export const ten = () => page("ten", PATTERN, TEN);
export const thousands = () => page("thousands", PATTERN, drawn(5000));
export const many = () => page("many", MANY, drawn(5000));
