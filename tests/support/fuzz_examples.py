"""The calls of Facebook's page, to be bent: ``SET``, ``REQUEST`` … stand for ids that exist."""

from __future__ import annotations


def one_line(*examples: str) -> tuple[str, ...]:
    return tuple(example.replace("\n    ", "") for example in examples)


BATCHES = one_line(
    """[{"method":"POST","name":"create_adimage","relative_url":"v21.0/act_1/adimages",
    "attached_files":"test1"},{"method":"POST","name":"create_creative","relative_url":
    "v21.0/act_1/adcreatives","attached_files":"test1","body":"name=sample creative&
    object_story_spec={\\"link_data\\":{\\"image_hash\\":\\"{result=create_adimage:$.images.*.hash}
    \\"},\\"page_id\\":\\"1\\"}&degrees_of_freedom_spec={}"},{"method":"POST","relative_url":
    "v21.0/act_1/ads","body":"adset_id=5&redownload=1&&creative={\\"creative_id\\":
    \\"{result=create_creative:$.id}\\"}&targeting={\\"countries\\":[\\"US\\"]}&name=test1"}]""",
    """[{"method":"POST","relative_url":v21.0/v7","body":"redownload=1&name=new name"},
    {"method":"GET","relative_url":"v21.0/?ids=8,9&fields=id,name"},
    {"method":"GET","relative_url":"v21.0/5/ads&fields=id,name"},
    {"method":"GET","relative_url":"v21.0/act_1/ads?adset_ids=[5, 6]&fields=id"}]""",
    """[{"method":"GET","relative_url":"v21.0/act_1/insights?filtering=[{field:'ad.id',
    operator:'IN',value:[8,9]}]"},{"method":"GET","relative_url":"act_1/reachestimate?
    targeting_spec={'geo_locations':{'countries':['US']}}"},{"method":"GET","headers":
    ["If-None-Match: \\"21d3\\""],"relative_url":"?ids=8,9"},{"method":"DELETE",
    "relative_url":"SET","name":"a","omit_response_on_success":false},
    {"relative_url":"{result=a:$.id}/requests","depends_on":"a"}]""",
)
ADBATCHES = one_line(
    """[{'name':'create-campaign','relative_url':'act_1/campaigns','body':
    'name%3DTest+Campaign%26objective%3DLINK_CLICKS%26status%3DPAUSED%26buying_type%3DAUCTION',},
    {'name':'create-adset','relative_url':'act_1/adsets','body':
    'targeting%3D%7B%22geo_locations%22%3A%7B%22countries%22%3A%5B%22US%22%5D%7D%7D%26daily_budget
    %3D5000%26campaign_id%3D%7Bresult%3Dcreate-campaign%3A%24.id%7D%26bid_amount%3D2%26name%3DFirst
    %2BAd%2BSet%20Test%26billing_event%3DLINK_CLICKS',},]""",
    """[{"name":"a","relative_url":"act_1/ads","body":"adset_id=5&name=a"},{"name":"b",
    "relative_url":"/v21.0/act_1/ads","body":"adset_id=5&name={result=a:$.id}"}]""",
)
SPECS = (
    '[{"name":"a","adset_id":"5","creative":{"creative_id":"7"}},{"name":"fail","adset_id":6}]',
    '[{"name":"a"},{"adset_id":"5","targeting":{"geo_locations":{"countries":["US"]}}}]',
)
EXPANSIONS = (
    "id,name,requests.limit(2){id,status,async_request_set{name}},is_completed",
    "id,adset{id,asyncadrequests.status(SUCCESS){result}},creative{name},campaign{adsets{ads}}",
    "ads.limit(1).after(MQ){name,insights{impressions}},account_id,owner_id,adcreatives,adimages",
)
FILTERS = (
    "[{field:'ad.id',operator:'IN',value:[8,9]}]",
    '[{"field":"adset.id","operator":"EQUAL","value":"5"},{"field":"spend"}]',
)
ADSET = {
    "name": "adset",
    "campaign_id": "4",
    "daily_budget": "5000",
    "bid_amount": "2",
    "billing_event": "LINK_CLICKS",
    "targeting": '{"geo_locations":{"countries":["US"]}}',
}
CREATIVE = '{"name":"c","object_story_spec":{"page_id":"1","link_data":{"link":"http://h"}}}'
TARGETINGS = ("{'geo_locations': {'countries':['US']}}", '{"geo_locations":{"countries":["US"]}}')

EXAMPLES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GET", "/v21.0/SET", {"fields": "name,success_count,error_count,is_completed"}),
    ("GET", "/v21.0/SET/requests", {"fields": "id,status,result,input,async_request_set"}),
    ("GET", "/v21.0/REQUEST", {"fields": "id,scope_object_id,status,async_request_set{name}"}),
    ("GET", "/", {"id": "SET", "pretty": "true"}),
    ("GET", "/requests", {"id": "SET", "fields": "result", "limit": "1"}),
    ("GET", "/5/asyncadrequests", {"status": "SUCCESS,ERROR"}),
    ("GET", "/act_1/asyncadrequestsets", {"is_completed": "1", "limit": "1"}),
    ("POST", "/act_1/asyncadrequestsets", {"name": "set", "ad_specs": SPECS[0]}),
    ("POST", "/SET", {"name": "New Name", "notification_mode": "OFF"}),
    ("DELETE", "/SET", {}),
    ("DELETE", "/REQUEST", {}),
    ("POST", "/act_1/async_batch_requests", {"name": "batch", "adbatch": ADBATCHES[0]}),
    ("POST", "/act_1/async_batch_requests", {"name": "batch", "adbatch": ADBATCHES[1]}),
    ("GET", "/act_1/async_requests", {"status": "FINISHED", "type": "BATCH_API"}),
    ("POST", "/act_1/asyncadcreatives", {"name": "set", "creative_spec": CREATIVE}),
    ("GET", "/act_1/asyncadcreatives", {"is_completed": "true"}),
    *(("POST", "/v21.0/", {"batch": batch}) for batch in BATCHES),
    ("GET", "/", {"ids": "AD,SET,5,act_1", "fields": "id,name"}),
    ("POST", "/act_1/ads", {"name": "ad", "adset_id": "5", "creative": '{"creative_id":"7"}'}),
    ("POST", "/act_1/campaigns", {"name": "c", "objective": "LINK_CLICKS", "status": "PAUSED"}),
    ("POST", "/act_1/adsets", ADSET),
    ("POST", "/act_1/adcreatives", {"name": "c", "object_story_spec": '{"page_id":"1"}'}),
    ("POST", "/act_1/adimages", {"c.png": "an image"}),
    ("POST", "/act_1/adimages", {"bytes": "aW1hZ2U="}),
    ("GET", "/act_1/adimages", {"hashes": '["21d371640127490b2ed0387e8af3f0f8"]'}),
    ("GET", "/act_1/ads", {"adset_ids": "[5,6]", "fields": EXPANSIONS[1]}),
    ("GET", "/5/ads", {"fields": "id,name,creative{name},insights{spend}"}),
    ("GET", "/act_1/adsets", {"fields": "name,campaign{name},ads{id}"}),
    ("GET", "/act_1/campaigns", {"fields": "name,adsets.limit(1){ads{name}}", "limit": "1"}),
    ("GET", "/act_1/adcreatives", {"summary": "true", "after": "MQ"}),
    ("GET", "/act_1/insights", {"filtering": FILTERS[0]}),
    ("GET", "/AD/insights", {"fields": "impressions,spend", "date_preset": "last_7d"}),
    ("GET", "/act_1/adgroupstats", {}),
    ("GET", "/act_1/reachestimate", {"targeting_spec": TARGETINGS[0]}),
    ("GET", "/me/adaccounts", {}),
    ("GET", "/debug_token", {"input_token": "t"}),
    ("GET", "/AD", {"fields": "name,adset_id,creative,account_id,status,adset{name}"}),
    ("POST", "/AD", {"name": "new name", "redownload": "1"}),
    ("POST", "/CREATIVE", {"name": "new name"}),
    ("POST", "/5", {"daily_budget": "5000", "targeting": TARGETINGS[1], "status": "PAUSED"}),
    ("DELETE", "/AD", {}),
)
