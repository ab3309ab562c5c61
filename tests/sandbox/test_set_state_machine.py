"""Request sets as a state machine: whatever is done to them, they keep the rules of the model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.support.set_looks import SET_FIELDS, SetsGraph, is_accepted
from tests.support.set_model import OPEN, SetModel, Task
from tests.support.set_strategies import AD_SPECS, PROGRESS, batch_tasks, operation

SETTINGS = settings(
    max_examples=30,
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ACCOUNTS = st.sampled_from(["1", "2"])
CANCELABLE = ("INITIAL", "PENDING_DEPENDENCY")
MODES = ("OFF", "ON_COMPLETE")
URI = "http://127.0.0.1:1/hook"
STATUSES = st.sets(st.sampled_from([*OPEN, "SUCCESS", "ERROR", "CANCELED"]), min_size=1)


class RequestSets(RuleBasedStateMachine):
    """Sets of two accounts, and all that callers, the control API and time can do to them."""

    sets = Bundle("sets")

    def __init__(self) -> None:
        super().__init__()
        self.graph = SetsGraph()
        self.models: list[SetModel] = []

    @rule(target=sets, account=ACCOUNTS, progress=PROGRESS, specs=AD_SPECS, mode=st.booleans())
    def create_ads(
        self, account: str, progress: dict[str, Any], specs: list[dict[str, str]], *, mode: bool
    ) -> SetModel:
        self._tell(account, progress)
        named = [{**spec, "name": f"{spec['name']} {n}"} for n, spec in enumerate(specs)]
        told = {"notification_mode": "ON_COMPLETE", "notification_uri": URI} if mode else {}
        made = self.graph.post(
            f"/act_{account}/asyncadrequestsets", name="set", ad_specs=json.dumps(named), **told
        )
        tasks = [
            Task(spec["name"], "fail" not in spec["name"] and "adset_id" in spec) for spec in named
        ]
        return self._note(made["id"], account, tasks, progress, uri=URI if mode else "")

    @rule(target=sets, account=ACCOUNTS, progress=PROGRESS, tasks=batch_tasks())
    def create_batch(self, account: str, progress: dict[str, Any], tasks: list[Task]) -> SetModel:
        self._tell(account, progress)
        made = self.graph.post(
            f"/act_{account}/async_batch_requests",
            name="batch",
            adbatch=json.dumps([operation(task) for task in tasks]),
        )
        return self._note(made["id"], account, tasks, progress, is_batch=True)

    def _tell(self, account: str, progress: dict[str, Any]) -> None:
        kind, amount = progress["kind"], progress["amount"]
        unit = {"after_seconds": "seconds", "after_reads": "reads"}.get(kind)
        told = {"kind": kind, unit: amount} if unit else {"kind": kind}
        self.graph.control(f"accounts/{account}", progress=told, next_sets=1)

    def _note(
        self,
        set_id: str,
        account: str,
        tasks: list[Task],
        progress: dict[str, Any],
        *,
        uri: str = "",
        is_batch: bool = False,
    ) -> SetModel:
        model = SetModel(
            id=set_id,
            account=account,
            is_batch=is_batch,
            tasks=tasks,
            progress=progress,
            created_at=self.graph.sandbox.now,
            name="batch" if is_batch else "set",
            uri=uri,
            mode="ON_COMPLETE" if uri else "OFF",
        )
        self.models.append(model)
        return model

    @rule(model=sets)
    def read_a_set(self, model: SetModel) -> None:
        shown = self.graph.get(f"/{model.id}", fields=SET_FIELDS)
        model.note_read()
        assert shown == self.graph.node_of(model)

    @rule(account=ACCOUNTS, is_completed=st.sampled_from([None, "true", "1", "false"]))
    def read_an_accounts_list(self, account: str, is_completed: str | None) -> None:
        filters = {} if is_completed is None else {"is_completed": is_completed}
        path = f"/act_{account}/asyncadrequestsets"
        listed = self.graph.get(path, limit=500, **filters)["data"]
        owned = self._read_list_of(account)
        wanted = {None: (True, False), "false": (False,)}.get(is_completed, (True,))
        shown = [m.id for m in owned if not m.is_batch and self.graph.is_completed(m) in wanted]
        assert [each["id"] for each in listed] == shown

    @rule(account=ACCOUNTS, limit=st.integers(1, 4), is_completed=st.booleans())
    def walk_all_async_requests(self, account: str, limit: int, *, is_completed: bool) -> None:
        path = f"/act_{account}/async_requests"
        walked = self.graph.walk(path, limit=limit, is_completed=str(is_completed).lower())
        owned = [model for model in reversed(self.models) if model.account == account]
        shown = [model.id for model in owned if self.graph.is_completed(model) == is_completed]
        assert [each["id"] for each in walked] == shown

    @rule(model=sets, statuses=STATUSES, limit=st.integers(1, 5), as_json=st.booleans())
    def read_requests_by_status(
        self, model: SetModel, statuses: set[str], limit: int, *, as_json: bool
    ) -> None:
        named = sorted(statuses)
        told = {"statuses": json.dumps(named)} if as_json else {"status": ",".join(named).lower()}
        walked = self.graph.walk(f"/{model.id}/requests", fields="status", limit=limit, **told)
        shown = [{"id": r["id"], "status": r["status"]} for r in self.graph.requests_of(model)]
        assert list(walked) == [each for each in shown if each["status"] in statuses]

    @rule(ad_set=st.sampled_from(["5", "6"]), limit=st.integers(1, 7))
    def read_an_ad_sets_requests(self, ad_set: str, limit: int) -> None:
        walked = list(self.graph.walk(f"/{ad_set}/asyncadrequests", limit=limit))
        everything = [each for model in self.models for each in self.graph.requests_of(model)]
        wanted = [each["id"] for each in everything if each.get("scope_object_id") == ad_set]
        assert [each["id"] for each in walked] == wanted

    @rule(account=ACCOUNTS, limit=st.integers(1, 4))
    def walk_an_accounts_list(self, account: str, limit: int) -> None:
        path = f"/act_{account}/asyncadrequestsets"
        walked = [each["id"] for each in self.graph.walk(path, limit=limit)]
        owned = self._read_list_of(account)
        assert walked == [model.id for model in owned if not model.is_batch]

    @rule(model=sets, index=st.integers(0, 11))
    def cancel_a_request(self, model: SetModel, index: int) -> None:
        index %= len(model.tasks)
        before = self.graph.requests_of(model)[index]
        may = before["status"] in CANCELABLE
        assert is_accepted(lambda: self.graph.delete(f"/{before['id']}")) == may
        model.canceled |= {index} if may else set()

    @rule(model=sets)
    def cancel_a_set(self, model: SetModel) -> None:
        before = [each["status"] for each in self.graph.requests_of(model)]
        may = any(status in CANCELABLE for status in before)
        assert is_accepted(lambda: self.graph.delete(f"/{model.id}")) == may
        after = [each["status"] for each in self.graph.requests_of(model)]
        assert not any(status in CANCELABLE for status in after)
        pairs = zip(before, after, strict=True)
        # Those that depend on a cancelled one end as its dependents, in either order.
        model.canceled |= {n for n, (was, now) in enumerate(pairs) if was != now == "CANCELED"}

    @rule(model=sets, name=st.text(min_size=1, max_size=5).filter(str.isprintable))
    def rename_a_set(self, model: SetModel, name: str) -> None:
        assert is_accepted(lambda: self.graph.post(f"/{model.id}", name=name))
        model.name = name

    @rule(model=sets, uri=st.sampled_from([URI, f"{URI}?n=2"]), mode=st.sampled_from(MODES))
    def change_who_is_told(self, model: SetModel, uri: str, mode: str) -> None:
        may = self.graph.node_of(model)["notification_status"] == "NOT_SENT"
        told = {"notification_uri": uri, "notification_mode": mode}
        assert is_accepted(lambda: self.graph.post(f"/{model.id}", **told)) == may
        if may:
            model.uri, model.mode = uri, mode

    @rule(seconds=st.integers(0, 40))
    def time_passes(self, seconds: int) -> None:
        self.graph.let_pass(seconds)

    @rule(model=sets, count=st.integers(1, 4))
    def advance_by_hand(self, model: SetModel, count: int) -> None:
        answer = self.graph.control(f"sets/{model.id}/advance", requests=count)
        model.advanced += count
        assert answer["is_completed"] == self.graph.node_of(model)["is_completed"]

    @rule(model=sets)
    def complete_by_hand(self, model: SetModel) -> None:
        assert self.graph.control(f"sets/{model.id}/complete")["is_completed"] is True
        model.advanced += len(model.tasks)

    @rule()
    def notifications_go_out(self) -> None:
        before = [self.graph.node_of(model)["notification_status"] for model in self.models]
        self.graph.send_notifications()
        for model, status in zip(self.models, before, strict=True):
            expected = "SENT" if model.note_sending() else status
            assert self.graph.node_of(model)["notification_status"] == expected

    @invariant()
    def the_rules_hold(self) -> None:
        for model in self.models:
            node, requests = self.graph.node_of(model), self.graph.requests_of(model)
            model.see(node, requests, now=self.graph.sandbox.now)
        self._check_that_every_ad_exists_once()
        self._check_the_ledger()

    def _check_that_every_ad_exists_once(self) -> None:
        requests = [each for model in self.models for each in model.requests]
        made = [each["result"]["id"] for each in requests if each["status"] == "SUCCESS"]
        ids = [*(model.id for model in self.models), *(each["id"] for each in requests), *made]
        assert len(ids) == len(set(ids))
        exist = [ad["id"] for n in ("1", "2", "9") for ad in self.graph.walk(f"/act_{n}/ads")]
        assert sorted(exist) == sorted(made)

    def _check_the_ledger(self) -> None:
        for model, entry in zip(self.models, self.graph.ledger(), strict=True):
            node = {name: entry.get(name) or "" for name in ("id", "name", "notification_uri")}
            assert node == {"id": model.id, "name": model.name, "notification_uri": model.uri}
            assert entry["account"] == model.account
            assert (entry["completed_time"] is not None) == model.is_completed
            assert entry["notification_status"] == model.node["notification_status"]
            assert [without_nulls(each) for each in entry["requests"]] == model.requests

    def _read_list_of(self, account: str) -> list[SetModel]:
        """Note a read of an account's list, and return all of its sets, newest first."""
        owned = [model for model in reversed(self.models) if model.account == account]
        for model in owned:
            model.note_read()
        return owned


def without_nulls(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not None}


def test_sets_keep_the_rules_whatever_happens_to_them() -> None:
    run_state_machine_as_test(RequestSets, settings=SETTINGS)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_sets_keep_the_rules_in_long_stories() -> None:
    run_state_machine_as_test(
        RequestSets, settings=settings(SETTINGS, max_examples=500, stateful_step_count=50)
    )
