"""The description of the admin API: whole, true, and held against random calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.generation.modes import GenerationMode
from schemathesis.schemas import APIOperation

from tests.support.house import ACCOUNT, House

DOCUMENT = "/admin/api/openapi.json"
HOOK = "http://127.0.0.1:9/hook"


def fill(house: House) -> dict[str, Any]:
    """Put something of everything into a receiver; return what its paths may name."""
    house.notify(house.create_open(notification_uri=HOOK, notification_mode="ON_COMPLETE"))
    house.work()
    house.create_open()
    plan = house.client.post(
        "/admin/api/plans",
        json={"action": "look", "filters": {}},
        headers={"Authorization": f"Bearer {house.key}"},
    )
    return {"number": 1, "plan": plan.get_json()["id"], "account": ACCOUNT}


def operations(house: House) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, house.client.application)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_random_calls_are_answered_as_described(house: House, mode: GenerationMode) -> None:
    call_at_random(house, mode, examples=3)


@pytest.mark.long
@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_many_random_calls_are_answered_as_described(house: House, mode: GenerationMode) -> None:
    call_at_random(house, mode, examples=80)


def call_at_random(house: House, mode: GenerationMode, *, examples: int) -> None:
    headers = {"Authorization": f"Bearer {house.key}"}
    known = fill(house)
    well: dict[str, bool] = {}
    for operation in operations(house):

        @settings(
            max_examples=examples,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
            phases=[Phase.generate],
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case: Any) -> None:
            if mode.is_positive:
                leave_out_what_no_schema_describes(case)
                name_what_is_there(case, known)
            else:
                # What would be wrong with the key is not sent: the test's own goes along.
                header = case.meta.components.get(ParameterLocation.HEADER)
                assume(header is None or header.mode.is_positive)
            response = case.call(headers=headers)
            case.validate_response(response, headers=headers)
            well[case.operation.label] = (
                well.get(case.operation.label, False) or response.status_code < 400
            )

        call()
    answered = [label for label, is_well in well.items() if is_well]
    if mode.is_positive:
        # Nothing that is only read is described by its refusals alone.
        assert [each for each in well if each.startswith("GET")] == [
            each for each in answered if each.startswith("GET")
        ]
    assert len(well) > 20


def leave_out_what_no_schema_describes(case: Any) -> None:
    """A cursor is a page's, and a range has to end after it begins."""
    body = case.body if isinstance(case.body, dict) else {}
    for sent in (case.query or {}, body, body.get("filters", {})):
        for name in ("cursor", "since", "completed_since"):
            sent.pop(name, None)


def name_what_is_there(case: Any, known: dict[str, Any]) -> None:
    """A random number is that of no row."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = known.get(name, case.path_parameters[name])


def test_every_route_of_the_api_is_described(house: House) -> None:
    rules = {
        rule.rule.replace("<", "{").replace(">", "}")
        for rule in house.client.application.url_map.iter_rules()
        if rule.endpoint.startswith("admin.")
    }
    hidden = {"/admin/api/{path:path}"}

    document = house.client.get(DOCUMENT).get_json()

    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == rules - hidden
    assert document["components"]["securitySchemes"] == {
        "key": {"type": "http", "scheme": "bearer"}
    }


def test_an_operation_says_what_it_does_and_what_each_parameter_means(house: House) -> None:
    document = house.client.get(DOCUMENT).get_json()

    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["tags"], path
            assert {"400", "401", "503"} <= set(operation["responses"]), path
            for parameter in operation.get("parameters", []):
                assert parameter.get("description"), (path, parameter["name"])


def test_the_page_to_browse_it_needs_nothing_from_elsewhere(house: House) -> None:
    page = house.client.get("/admin/api/docs")

    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    for name in ("css/swagger-ui.css", "js/swagger-ui-bundle.js"):
        assert size(house, f"/admin/api/docs/{name}") > 10_000
    assert size(house, "/admin/static/api-docs.js") > 100


def size(house: House, path: str) -> int:
    with house.client.get(path) as answer:
        assert answer.status_code == 200
        return len(answer.data)


@pytest.mark.parametrize("name", ["../__init__.py", "images/swagger.svg", "nothing"])
def test_nothing_else_is_served_beside_the_page(house: House, name: str) -> None:
    assert house.client.get(f"/admin/api/docs/{name}").status_code == 404
