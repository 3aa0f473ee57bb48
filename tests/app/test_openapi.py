"""schemathesis plays through the app's own OpenAPI description: no 500, no status that is not described."""

from collections import Counter

import hypothesis
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.app.conftest import ROUTERS, House

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if getattr(route, "include_in_schema", False)
    for method in route.methods
]


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_api_does_what_it_describes(
    client: TestClient, house: House, method: str, path: str, mode: GenerationMode
) -> None:
    """As a real person who owns a recording, so that some of the calls succeed; with sound and broken requests."""
    app = client.app
    assert isinstance(app, FastAPI)
    operation = schemathesis.openapi.from_asgi("/openapi.json", app)[path][method]
    if mode is GenerationMode.NEGATIVE and not _can_be_broken(operation):
        pytest.skip("takes no input that could be wrong")
    ann = house.person("ann")
    house.recording(submitted_by=ann.id)
    statuses: Counter[int] = Counter()

    @hypothesis.settings(
        max_examples=50,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def play(case: schemathesis.Case) -> None:
        response = case.call(headers={**(case.headers or {}), **ann.headers})
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    try:
        play()
    except hypothesis.errors.Unsatisfiable:
        pytest.skip("any text is a sound path here, so nothing could be wrong")
    assert statuses.total() > 0
    assert set(statuses) != {401}, "the token opened nothing, so nothing was tried"


def _can_be_broken(operation: schemathesis.schemas.APIOperation) -> bool:
    return bool(operation.path_parameters or operation.query or operation.body)
