"""Requests made from the OpenAPI document, good ones and bad ones: none is answered by a 5xx.

Bounded in number and time, the same ones in every run, over loopback alone.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.support.live_service import Live, LiveServices
from tests.support.raw_http import send

SECONDS = 5
EXAMPLES = {GenerationMode.POSITIVE: 25, GenerationMode.NEGATIVE: 5}  # the latter are dear to make
BOUNDED = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def live(live_services: LiveServices) -> Live:
    return live_services.get("sqlite-root")


@pytest.fixture(scope="module")
def operations(live: Live) -> list[Any]:
    document = send(live.port, "GET", "/openapi.json").json
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=live.issuer)
    return [one.ok() for one in schema.get_all_operations()]


def forbids(operation: Any) -> bool:
    """Whether the document says what a body must have: else every text is a good one."""
    content = operation.definition.raw.get("requestBody", {}).get("content", {})
    return any(one["schema"].get("required") or "json" in kind for kind, one in content.items())


# Of the generator's own: some of its values come from elsewhere than from Hypothesis.
@pytest.mark.filterwarnings("ignore:Do not use the .random. module inside strategies")
@pytest.mark.parametrize("mode", EXAMPLES)
def test_no_request_of_the_document_is_a_5xx(
    live: Live, operations: list[Any], mode: GenerationMode
) -> None:
    assert len(operations) > 25
    answered: set[int] = set()
    asked = 0
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not forbids(operation):
            continue

        @settings(BOUNDED, max_examples=EXAMPLES[mode])
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            answer = case.call(timeout=SECONDS, allow_redirects=False)
            assert answer.status_code < 500, (case.method, case.path, answer.text[:300])
            answered.add(answer.status_code)

        ask()
        asked += 1
    assert asked >= 5
    assert {400, 401} <= answered
