// A campaign, its ad set, its creative and its ad, by the SDK's own methods.
import sdk from "facebook-nodejs-business-sdk";

/** Creates one of each, reads them through the campaign, and changes and deletes the ad. */
export async function manageObjects(account) {
  const campaign = await createCampaign(account);
  const adSet = await createAdSet(account, campaign);
  const creative = await createCreative(account);
  const ad = await account.createAd([], {
    name: "ad",
    adset_id: adSet.id,
    creative: { creative_id: creative.id },
    status: sdk.Ad.Status.paused,
  });
  const ids = [campaign, adSet, creative, ad].map(({ id }) => id);
  const adSets = (await campaign.getAdSets(["name"])).map(({ id, name }) => [id, name]);
  const updated = await ad.update([], { name: "new name" });
  const ads = (await adSet.getAds(["name", "adset_id"])).map((each) => each.exportAllData());
  const deleted = await ad.delete([]);
  const left = (await adSet.getAds(["name"])).length;
  return { ids, adSets, updated, ads, deleted, left };
}

function createCampaign(account) {
  return account.createCampaign([], {
    name: "campaign",
    objective: sdk.Campaign.Objective.outcome_traffic,
    status: sdk.Campaign.Status.paused,
    special_ad_categories: [],
  });
}

function createAdSet(account, campaign) {
  return account.createAdSet([], {
    name: "ad set",
    campaign_id: campaign.id,
    daily_budget: 5000,
    bid_amount: 2,
    billing_event: sdk.AdSet.BillingEvent.impressions,
    optimization_goal: sdk.AdSet.OptimizationGoal.reach,
    targeting: { geo_locations: { countries: ["US"] } },
    status: sdk.AdSet.Status.paused,
  });
}

function createCreative(account) {
  return account.createAdCreative([], {
    name: "creative",
    object_story_spec: { page_id: "12345678", link_data: { link: "https://www.example.com" } },
  });
}
