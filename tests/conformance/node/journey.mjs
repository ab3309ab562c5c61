// A short journey of the official Node SDK: `node journey.mjs <URL of a sandbox>`.
//
// The last line of what it prints is a JSON object of what it saw. Any surprise ends it with 1.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import sdk from "facebook-nodejs-business-sdk";
import { followBatches } from "./batches.mjs";
import { manageObjects } from "./objects.mjs";
import { MISSING_ID, connect, control, listenForNotifications } from "./sandbox.mjs";

const POLL_MILLISECONDS = 20;
const COUNTS = ["total_count", "success_count", "error_count", "canceled_count"];

/** Creates a set of ads, every fifth of which fails. */
function createSet(account, { name, ads, notificationUri }) {
  const specs = Array.from({ length: ads }, (_, number) => ({
    name: number % 5 === 4 ? `will fail ${number}` : `ad ${number}`,
    adset_id: "5",
    creative: { creative_id: "7" },
    status: "PAUSED",
  }));
  return account.createAsyncAdRequestSet([], {
    name,
    ad_specs: specs,
    notification_mode: sdk.AdAsyncRequestSet.NotificationMode.on_complete,
    notification_uri: notificationUri,
  });
}

/** Reads a node until `isDone` says so, and returns how often it was read. */
async function poll(node, { fields, isDone }) {
  for (let reads = 1; reads <= 500; reads += 1) {
    await node.get(fields);
    if (isDone(node)) return reads;
    await sleep(POLL_MILLISECONDS);
  }
  throw new Error(`${node.id} never came that far: ${JSON.stringify(node.exportAllData())}`);
}

/** Creates a set, waits until it is complete and its notification was sent. */
async function completeSet(url, account, inbox) {
  await control(url, `accounts/${account.id}`, { progress: { kind: "after_reads", reads: 3 } });
  const set = await createSet(account, { name: "spring", ads: 65, notificationUri: inbox.uri });
  const fields = ["is_completed", ...COUNTS];
  const reads = await poll(set, { fields, isDone: ({ is_completed }) => is_completed });
  const counts = COUNTS.map((field) => set[field]);
  const later = ["notification_status", "notification_result"];
  await poll(set, { fields: later, isDone: ({ notification_status: s }) => s === "SENT" });
  const { notification_result: notification } = set;
  return [set, { id: set.id, reads, counts, notification, bodies: [...inbox.bodies] }];
}

/** Pages through the requests of a set with the SDK's cursor, to the end and one page back. */
async function pageThroughRequests(set) {
  const cursor = await set.getRequests(["status", "result", "scope_object_id"], { limit: 25 });
  const pages = [cursor.length];
  const requests = [...cursor];
  while (cursor.hasNext()) {
    requests.push(...(await cursor.next()));
    pages.push(cursor.length);
  }
  await assert.rejects(cursor.next(), RangeError);
  const firstOfLastPage = cursor[0].id;
  await cursor.previous();
  assert.equal(requests.at(pages[0] * (pages.length - 1)).id, firstOfLastPage);
  assert.equal(cursor[0].id, requests[pages[0] * (pages.length - 2)].id);
  return { pages, requests: requests.map((request) => request.exportAllData()) };
}

/** Cancels one request of an open set, then the set, which cannot be canceled twice. */
async function cancelSet(url, account, inbox) {
  await control(url, `accounts/${account.id}`, { progress: { kind: "by_hand" } });
  const set = await createSet(account, { name: "autumn", ads: 3, notificationUri: inbox.uri });
  const open = (await listSets(account, { is_completed: false })).map(({ id }) => id);
  const [first] = await set.getRequests([]);
  const answers = [await first.delete([]), await set.delete([])];
  await set.get(["is_completed", ...COUNTS]);
  const again = await errorOf(set.delete([]));
  return { id: set.id, open, answers, counts: COUNTS.map((field) => set[field]), again };
}

function listSets(account, parameters) {
  return account.getAsyncAdRequestSets(["name", "is_completed"], parameters);
}

/** Returns what a call that has to fail tells of its error. */
async function errorOf(call) {
  const error = await call.then(
    () => assert.fail("The call did not fail."),
    (reason) => reason,
  );
  const { code, error_subcode: subcode } = error.response ?? {};
  return { name: error.name, status: error.status, code, subcode };
}

async function travel(url) {
  const inbox = await listenForNotifications();
  connect(url);
  const account = new sdk.AdAccount("act_1");
  const [set, completed] = await completeSet(url, account, inbox);
  const paged = await pageThroughRequests(set);
  const errors = await set.getRequests(["status"], { statuses: ["ERROR"], limit: 100 });
  const renamed = [await set.update([], { name: "summer" }), (await set.get(["name"])).name];
  const canceled = await cancelSet(url, account, inbox);
  const closed = (await listSets(account, { is_completed: true })).map(({ id }) => id);
  const missing = await errorOf(new sdk.AdAsyncRequestSet(MISSING_ID).get([]));
  const batches = await followBatches(account, set);
  const objects = await manageObjects(account);
  inbox.close();
  const sets = { completed, paged, errors: errors.length, renamed, canceled, closed, missing };
  return { ...sets, batches, objects };
}

console.log(JSON.stringify(await travel(process.argv[2])));
