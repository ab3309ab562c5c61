"""What Prometheus is shown, to whom, and that every number moves with what it counts."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from prometheus_client.parser import text_string_to_metric_families

from receiver import metrics
from receiver.graph.score import READ_POINTS, WRITE_POINTS
from receiver.store import intents, waits
from receiver.store.database import DatabaseAway
from receiver.store.intents import Attempt
from receiver.store.models import RequestSet
from receiver.store.waits import Wait
from receiver.web.context import figures
from tests.support.dead_addresses import dead_port
from tests.support.house import ACCOUNT, SECRET_KEY, TOKEN, House, open_house
from tests.support.lying_server import answering, http_answer, lying_server
from tests.support.sandbox import listening

TOKEN_OF_METRICS = "a-token-for-prometheus"


@pytest.fixture
def house(house: House) -> House:
    """A house that reads its figures anew with every scrape."""
    with house.client.application.app_context():
        figures()._kept_seconds = 0
    return house


def samples(text: str) -> dict[str, float]:
    """Every sample by its name and its labels in their order, as ``name{label=value}``."""
    return {
        sample.name + "".join(f"{{{name}={value}}}" for name, value in sample.labels.items()): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(house: House, **arguments: Any) -> dict[str, float]:
    response = house.client.get("/metrics", **arguments)
    assert response.status_code == 200, response.text
    return samples(response.text)


class Since:
    """What was counted since then: other tests of this process count into the same numbers."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._before = scrape(house)

    def __getitem__(self, name: str) -> float:
        return scrape(self._house).get(name, 0.0) - self._before.get(name, 0.0)


def test_notifications_are_counted_by_what_became_of_them(house: House) -> None:
    set_id = house.create_open()
    counted = Since(house)
    house.notify(set_id)
    for _ in range(2):
        house.client.post("/notifications/forged")
    for error, status in ((DatabaseAway("gone"), 503), (ValueError("nobody foresaw it"), 500)):
        with mock.patch.object(house.parts.inbox, "keep", side_effect=error):
            assert house.notify(set_id).status_code == status
    assert counted["receiver_notifications_total{outcome=kept}"] == 1
    assert counted["receiver_notifications_total{outcome=refused}"] == 2
    assert counted["receiver_notifications_total{outcome=database_away}"] == 1
    assert counted["receiver_notifications_total{outcome=failed}"] == 1


def test_requests_are_counted_by_who_answered_and_how(house: House) -> None:
    counted = Since(house)
    house.get(f"/act_{ACCOUNT}/asyncadrequestsets")
    house.client.get("/1?access_token=wrong")
    house.get("/admin/api/looks")
    house.client.get("/admin/api/looks")
    house.client.get("/health/live")
    name = "receiver_http_requests_total{{status={1}}}{{surface={0}}}"
    for surface in ("graph", "admin"):
        assert counted[name.format(surface, "2xx")] == 1
        assert counted[name.format(surface, "4xx")] == 1
    assert counted[name.format("health", "2xx")] == 1


def test_pages_their_assets_and_the_api_are_one_surface(house: House) -> None:
    counted = Since(house)
    page = house.client.get("/admin/sign-in").text
    assets = re.findall(r'(?:href|src)="(/[^"]+\.(?:css|js|svg))"', page)
    for path in (*assets, "/admin/api/docs"):
        with house.client.get(path) as response:
            assert response.status_code == 200
    assert len(assets) > 2
    name = "receiver_http_requests_total{status=2xx}{surface=admin}"
    assert counted[name] == len(assets) + 2
    known = {"notifications", "graph", "admin", "health", "metrics", "other"}
    assert {
        shown.partition("{surface=")[2].rstrip("}")
        for shown in scrape(house)
        if shown.startswith("receiver_http_requests_total")
    } <= known


def test_calls_and_points_are_counted_by_account(house: House) -> None:
    counted = Since(house)
    house.create_open()
    house.clock.move(60)
    house.work()
    calls = len([call for call in house.sandbox.calls()["calls"] if call["method"] != "DELETE"])
    name = f"receiver_graph_calls_total{{account={ACCOUNT}}}{{outcome=answered}}"
    assert counted[name] == calls
    points = f"receiver_graph_points_total{{account={ACCOUNT}}}"
    assert counted[f"{points}{{purpose=create}}"] == WRITE_POINTS
    assert counted[f"{points}{{purpose=poll}}"] == READ_POINTS
    assert counted["receiver_graph_call_seconds_count{method=POST}"] >= 1


def test_a_call_that_passes_through_is_counted_for_its_account(house: House) -> None:
    counted = Since(house)
    assert house.get(f"/act_{ACCOUNT}/campaigns").status_code == 200
    assert counted[f"receiver_graph_calls_total{{account={ACCOUNT}}}{{outcome=answered}}"] == 1


def test_a_call_that_facebook_refuses_is_counted_as_such(house: House) -> None:
    counted = Since(house)
    house.sandbox.trouble("graph_error", code=100, method="POST", count=1)
    assert house.create().status_code == 400
    assert counted[f"receiver_graph_calls_total{{account={ACCOUNT}}}{{outcome=refused}}"] == 1


def test_a_call_without_an_answer_is_counted_as_such(house: House) -> None:
    counted = Since(house)
    house.sandbox.trouble("commit_then_drop", method="POST", count=1)
    assert house.create().status_code == 409
    assert counted[f"receiver_graph_calls_total{{account={ACCOUNT}}}{{outcome=no_answer}}"] == 1


def test_a_failure_of_facebooks_own_is_counted_as_such(house: House) -> None:
    counted = Since(house)
    house.sandbox.trouble("http_error", http_status=503, method="POST", count=1)
    assert house.create().status_code == 409
    assert counted[f"receiver_graph_calls_total{{account={ACCOUNT}}}{{outcome=failed}}"] == 1


def test_an_answer_that_is_no_json_is_counted_as_unreadable(house: House) -> None:
    counted = Since(house)
    with (
        lying_server(answering(http_answer(b"<html>maintenance</html>"))) as server,
        house.with_facebook_at(server.url),
    ):
        assert house.create().status_code == 409
    assert counted[f"receiver_graph_calls_total{{account={ACCOUNT}}}{{outcome=unreadable}}"] == 1


def test_a_call_that_reached_nobody_is_counted_as_not_sent(house: House) -> None:
    counted = Since(house)
    with house.with_facebook_at("http://127.0.0.1:9"):
        assert house.create().status_code >= 500
    assert counted[f"receiver_graph_calls_total{{account={ACCOUNT}}}{{outcome=not_sent}}"] >= 1


def test_collecting_that_fails_is_counted_as_such(house: House) -> None:
    house.create_open()
    house.notify()
    counted = Since(house)
    with mock.patch("receiver.lifecycle.collect.results.upsert", side_effect=ValueError):
        house.work()
    assert counted["receiver_collect_seconds_count{outcome=failed}"] == 1


def test_looks_and_collecting_are_counted(house: House) -> None:
    counted = Since(house)
    house.create_open()
    house.notify()
    house.work()
    assert counted["receiver_looks_total{kind=set}{verdict=delivered}"] == 1
    assert counted["receiver_looks_total{kind=requests}{verdict=unjudged}"] == 1
    assert counted["receiver_collect_seconds_count{outcome=collected}"] == 1


@pytest.mark.parametrize(("status", "outcome"), [(200, "delivered"), (500, "retry"), (410, "gone")])
def test_deliveries_are_counted_by_how_they_ended(house: House, status: int, outcome: str) -> None:
    house.set_private_addresses(allowed=True)
    counted = Since(house)
    with listening(status=status) as listener:
        house.create_open(notification_uri=listener.url, notification_mode="ON_COMPLETE")
        house.notify()
        house.work()
        assert house.deliver() == 1
    assert counted[f"receiver_deliveries_total{{outcome={outcome}}}"] == 1


def test_a_look_that_fails_is_counted_as_an_error(house: House) -> None:
    house.create_open()
    house.clock.move(60)
    house.sandbox.trouble("graph_error", code=190, method="GET", count=3)
    counted = Since(house)
    house.work()
    assert counted["receiver_looks_total{kind=set}{verdict=error}"] == 1


def test_what_sql_knows_is_shown(house: House) -> None:
    house.create_open()
    house.let_a_worker_beat()
    with house.parts.database.writing() as session:
        intents.keep_found(session, Attempt(1, number=1), facebook_id=99, now=house.clock())
    house.clock.move(90_000)
    shown = scrape(house)
    assert shown["receiver_database_up"] == 1
    assert shown["receiver_sets{state=open}"] == 1
    assert shown["receiver_due_sets"] == 1
    assert shown["receiver_oldest_due_seconds"] == pytest.approx(90_000 - 60, abs=1)
    assert (shown["receiver_missing_sets"], shown["receiver_late_sets"]) == (1, 0)
    assert shown["receiver_doubled_sets"] == 1
    assert shown["receiver_stuck_sets"] == 0
    assert shown["receiver_worker_up"] == 0
    assert shown["receiver_worker_heartbeat_age_seconds"] == 90_000
    assert shown["receiver_unapplied_notifications"] == 0


def test_what_waits_and_what_a_person_has_to_look_at_is_shown(house: House) -> None:
    for _ in range(3):
        house.create_open()
    house.notify()
    house.let_a_worker_beat()
    with house.parts.database.writing() as session:
        session.get_one(RequestSet, 1).state = "stuck"
        an_hour_on = house.clock() + timedelta(hours=1)
        waits.wait(session, ACCOUNT, Wait(an_hour_on))
        for number in (1, 2):
            session.get_one(RequestSet, number).look_at = house.clock()
    shown = scrape(house)
    assert shown["receiver_worker_up"] == 1
    assert shown["receiver_stuck_sets"] == 1
    assert shown["receiver_unapplied_notifications"] == 1
    assert (shown["receiver_due_sets"], shown["receiver_waiting_sets"]) == (2, 2)
    assert (shown["receiver_sets{state=open}"], shown["receiver_sets{state=stuck}"]) == (2, 1)


def test_a_set_that_is_late_is_not_missing_yet(house: House) -> None:
    house.create_open()
    with house.parts.database.writing() as session:
        row = session.get_one(RequestSet, 1)
        row.deadline_at, row.missing_at = house.clock(), house.clock() + timedelta(hours=1)
    house.clock.move(1)
    shown = scrape(house)
    assert (shown["receiver_missing_sets"], shown["receiver_late_sets"]) == (0, 1)


def test_without_a_worker_no_age_is_made_up(house: House) -> None:
    shown = scrape(house)
    assert shown["receiver_worker_up"] == 0
    assert "receiver_worker_heartbeat_age_seconds" not in shown


def test_without_the_database_what_is_counted_is_shown_all_the_same(house: House) -> None:
    house.client.post("/notifications/forged")
    away = DatabaseAway("somewhere:5432 refused")
    with mock.patch.object(house.parts.database, "probing", side_effect=away):
        shown = scrape(house)
    assert shown["receiver_database_up"] == 0
    assert "receiver_due_sets" not in shown
    assert shown["receiver_notifications_total{outcome=refused}"] >= 1


def test_scrapes_share_one_reading_of_the_database(house: House) -> None:
    with house.client.application.app_context():
        figures()._kept_seconds = 60
    real = house.parts.database.probing
    with mock.patch.object(house.parts.database, "probing", side_effect=real) as probing:
        for _ in range(5):
            scrape(house)
    assert probing.call_count == 1


FORWARDED = [("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=127.0.0.1"), ("Via", "1.1 x")]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_without_a_token_the_machine_itself_may_read(house: House, address: str) -> None:
    scrape(house, environ_base={"REMOTE_ADDR": address})


@pytest.mark.parametrize("address", ["203.0.113.7", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", ""])
def test_without_a_token_nobody_else_may(house: House, address: str) -> None:
    response = house.client.get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert (response.status_code, str(ACCOUNT) in response.text) == (401, False)
    assert "receiver_" not in response.text


@pytest.mark.parametrize("header", FORWARDED, ids=lambda header: header[0])
def test_without_a_token_a_proxy_on_the_same_machine_lets_nobody_in(
    house: House, header: tuple[str, str]
) -> None:
    assert house.client.get("/metrics", headers=[header]).status_code == 401


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_behind_a_proxy_that_does_not_say_so_nobody_may_without_a_token(database_url: str) -> None:
    with open_house(database_url, trusted_proxies=1) as house:
        assert house.client.get("/metrics").status_code == 401


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_with_a_token_whoever_sends_it_may_read_and_nobody_else(database_url: str) -> None:
    with open_house(database_url, metrics_token=TOKEN_OF_METRICS) as house:
        far = {"REMOTE_ADDR": "203.0.113.7"}
        good = {"Authorization": f"Bearer {TOKEN_OF_METRICS}"}
        scrape(house, headers=good, environ_base=far)
        for sent in ("", TOKEN_OF_METRICS, f"Bearer {TOKEN_OF_METRICS}x", "Bearer ", "Bearer \xff"):
            response = house.client.get("/metrics", headers={"Authorization": sent})
            assert response.status_code == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert TOKEN_OF_METRICS not in response.text


def test_a_key_of_a_caller_is_no_token_of_the_metrics(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.key}"}
    far = {"REMOTE_ADDR": "203.0.113.7"}
    assert house.client.get("/metrics", headers=headers, environ_base=far).status_code == 401


def test_no_secret_stands_among_the_metrics(house: House) -> None:
    house.create_open(name="Our secret campaign")
    house.notify()
    house.work()
    shown = house.client.get("/metrics").text
    for hidden in (TOKEN, house.key, SECRET_KEY, "campaign", "/notifications/"):
        assert hidden not in shown


def test_without_a_broker_nothing_is_said_of_one(house: House) -> None:
    assert not {"receiver_broker_up", "receiver_waiting_messages"} & set(scrape(house))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_broker_that_answers_is_up(database_url: str, broker_url: str) -> None:
    with open_house(database_url, broker_url=broker_url) as house:
        shown = scrape(house)
    assert (shown["receiver_broker_up"], shown["receiver_waiting_messages"]) == (1, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_broker_that_is_away_is_down_and_what_waits_is_not_known(database_url: str) -> None:
    with dead_port("refused") as port:
        url = f"redis://127.0.0.1:{port}/0"
        with open_house(database_url, broker_url=url) as house:
            shown = scrape(house)
    assert shown["receiver_broker_up"] == 0
    assert "receiver_waiting_messages" not in shown


def test_every_name_begins_with_ours(house: House) -> None:
    assert {name.partition("_")[0] for name in scrape(house)} == {"receiver"}
    assert metrics.CONTENT_TYPE.startswith("text/plain")


def test_the_operators_page_names_every_metric_and_no_other(
    database_url: str, broker_url: str
) -> None:
    with open_house(database_url, broker_url=broker_url) as house:
        assert_named(house)


def assert_named(house: House) -> None:
    house.let_a_worker_beat()
    families = text_string_to_metric_families(house.client.get("/metrics").text)
    # The library's own parser takes the ending of a counter off its name.
    shown = {f"{each.name}_total" if each.type == "counter" else each.name for each in families}
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")
    rows = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `rec"))
    assert shown == set(re.findall(r"`(receiver_[a-z_]+)`", rows))
