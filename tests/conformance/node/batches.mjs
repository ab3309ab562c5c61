// Batches of the SDK, whose callbacks get `{body, status, headers, error}` of their operation.
import sdk from "facebook-nodejs-business-sdk";
import { MISSING_ID } from "./sandbox.mjs";

/** Runs one batch of all kinds of operations, and one whose parent is not answered. */
export async function followBatches(account, set) {
  const mixed = await runMixedBatch(account, set);
  const name = (await set.get(["name"])).name;
  return { ...mixed, name, retried: await omitTheParent(account) };
}

async function runMixedBatch(account, set) {
  const batch = new sdk.FacebookAdsApiBatch(account.getApi());
  const answers = {};
  const errors = {};
  const callbacks = (key) => [
    ({ status, body }) => (answers[key] = { status, body }),
    ({ status, error }) => (errors[key] = { status, name: error.name, ...error.response.error }),
  ];
  batch.add("GET", [set.id], { fields: "success_count" }, null, ...callbacks("set"));
  const page = new sdk.APIRequest(set.id, "GET", "requests").addFields(["status"]);
  batch.addRequest(page.addParam("limit", 2), ...callbacks("requests"));
  // The SDK ends the path of a node with a slash.
  batch.addRequest(new sdk.APIRequest(set.id, "GET", "").addField("id"), ...callbacks("node"));
  // It makes a parameter `name` the operation's name too, so that two may be called alike.
  for (const key of ["update", "sameUpdate"]) {
    batch.add("POST", [set.id], { name: "winter sale" }, null, ...callbacks(key));
  }
  batch.add("GET", [MISSING_ID], {}, null, ...callbacks("missing"));
  const parent = addCampaign(batch, account, callbacks("campaign"));
  parent.omit_response_on_success = false;
  addAdSet(batch, account, callbacks("adSet"));
  const retry = await batch.execute();
  return { answers, errors, isWhole: retry === null };
}

/** An answered null is for the SDK an operation to try again: it would create a second campaign. */
async function omitTheParent(account) {
  const batch = new sdk.FacebookAdsApiBatch(account.getApi());
  const answered = [];
  addCampaign(batch, account, [() => answered.push("campaign")]);
  addAdSet(batch, account, [() => answered.push("adSet")]);
  const retry = await batch.execute();
  return { answered, again: retry._batch.map(({ name }) => name) };
}

function addCampaign(batch, account, callbacks) {
  const campaign = {
    name: "parent",
    objective: "OUTCOME_TRAFFIC",
    status: "PAUSED",
    special_ad_categories: [],
  };
  return batch.add("POST", [account.id, "campaigns"], campaign, null, ...callbacks);
}

function addAdSet(batch, account, callbacks) {
  const adSet = {
    name: "child",
    campaign_id: "{result=parent:$.id}",
    daily_budget: 5000,
    bid_amount: 2,
    billing_event: "IMPRESSIONS",
    optimization_goal: "REACH",
    targeting: { geo_locations: { countries: ["US"] } },
    status: "PAUSED",
  };
  batch.add("POST", [account.id, "adsets"], adSet, null, ...callbacks);
}
