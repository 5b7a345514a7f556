"""Token Status List 8 and 9 over the publisher: both forms, the past, the aggregation, clocks."""

import base64
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from corpid.domain.credential import EntryStatus, StatusEntry
from corpid.relying_party import FetchResult, Policy, RelyingParty
from corpid.relying_party.errors import MandateRevoked, StatusUnavailable
from corpid.relying_party.mandates import read_mandate
from corpid.services.certificates import Certificates
from corpid.services.past_status_lists import PER_SECOND
from corpid.services.status_publisher import HISTORY
from keys.certificates import STATUS_SIGNING, read_chain, verify_chain
from oidc.formats import cose
from oidc.formats.status_cwt import parse_cwt, verify_cwt
from oidc.formats.status_token import VerifiedStatusList, verify_token
from oidc.issuer.status_endpoint import StatusAggregationEndpoint, StatusListEndpoint
from tests.support.asgi import Answer, call
from tests.support.issuer_world import ISSUER, STATUS_URL, World
from tests.support.relying_world import MANDATE

JWT, CWT = "application/statuslist+jwt", "application/statuslist+cwt"
sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def get(world: World, list_id: str, query: str = "", **headers: str) -> Answer:
    endpoint = StatusListEndpoint(world.publisher, world.clock)

    async def with_query(scope, receive, send):  # type: ignore[no-untyped-def]
        await endpoint({**scope, "query_string": query.encode()}, receive, send)

    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return await call(with_query, path=f"/status/{list_id}", headers=sent)


async def set_status(world: World, entry: StatusEntry, value: EntryStatus) -> None:
    await world.store.write(lambda uow: uow.status_lists.set_status(entry, value, world.now_ms()))
    await world.publisher.refresh()


def of_jwt(world: World, answer: Answer, list_id: str, now: float) -> VerifiedStatusList:
    assert answer.header("content-type") == JWT
    uri = f"{STATUS_URL}/{list_id}"
    return verify_token(answer.body.decode(), world.status_keys(), uri=uri, now=now)


def of_cwt(world: World, answer: Answer, list_id: str, now: float) -> VerifiedStatusList:
    assert answer.header("content-type") == CWT
    uri = f"{STATUS_URL}/{list_id}"
    return verify_cwt(answer.body, world.status_keys(), uri=uri, now=now)


async def entry_of(world: World) -> StatusEntry:
    entry = await world.allocator.reserve()
    await world.publisher.refresh()
    return entry


async def test_tsl_8_1_both_forms_say_the_same(world: World) -> None:
    entry = await entry_of(world)
    await set_status(world, entry, EntryStatus.SUSPENDED)
    jwt = of_jwt(world, await get(world, entry.list_id), entry.list_id, world.now)
    answer = await get(world, entry.list_id, accept=CWT)
    cwt = of_cwt(world, answer, entry.list_id, world.now)
    assert jwt.status(entry.index) == cwt.status(entry.index) == 2
    assert jwt.statuses.data == cwt.statuses.data
    assert (jwt.issued_at, jwt.expires_at, jwt.ttl) == (cwt.issued_at, cwt.expires_at, cwt.ttl)
    again = await get(world, entry.list_id, accept=CWT, if_none_match=answer.header("etag") or "")
    assert (again.status, again.body) == (304, b"")


@sqlite_only
@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, JWT),
        ("*/*", JWT),
        ("application/json", JWT),
        (JWT, JWT),
        (CWT, CWT),
        (CWT.upper(), CWT),
        (f"{JWT}, {CWT}", JWT),
        (f"{JWT};q=0.4, {CWT};q=0.5", CWT),
        (f"{CWT};q=0", JWT),
        (f"{CWT};q=odd", JWT),
        (f"text/html, {CWT};v=1;q=0.9", CWT),
        (";;,,", JWT),
    ],
)
async def test_rfc9110_12_5_1_accept_chooses_the_form(
    world: World, accept: str | None, form: str
) -> None:
    entry = await entry_of(world)
    headers = {} if accept is None else {"accept": accept}
    answer = await get(world, entry.list_id, **headers)
    assert (answer.status, answer.header("content-type")) == (200, form)
    assert answer.header("vary") == "Accept"
    assert answer.header("content-encoding") is None  # the list inside is compressed already


@sqlite_only
async def test_tsl_5_2_the_header_of_the_cwt(world: World) -> None:
    entry = await entry_of(world)
    certificates = Certificates(world.store, world.master, ISSUER, world.clock, bytes)
    await certificates.initialise("HK", "Sample Issuer", "operator:test")
    await world.keys.reload()
    await set_status(world, entry, EntryStatus.INVALID)
    answer = await get(world, entry.list_id, accept=CWT)
    signed = parse_cwt(answer.body)
    assert signed.unverified_header == {cose.ALG: -7, cose.TYP: CWT}
    (leaf,) = read_chain([base64.b64encode(one).decode() for one in cose.certificates(signed)])
    root = (await certificates.roots())["root"]
    verify_chain([leaf], [root], world.now, usage=STATUS_SIGNING)


async def test_tsl_9_the_aggregation_lists_every_list(world: World) -> None:
    await world.publisher.refresh()
    answer = await call(StatusAggregationEndpoint(world.publisher, 60), path="/status")
    assert answer.header("content-type") == "application/json"
    rows = await world.store.read.status_lists.all()
    assert answer.json == {"status_lists": [f"{STATUS_URL}/{row.list_id}" for row in rows]}
    served = await get(world, rows[0].list_id)
    payload = orjson.loads(base64.urlsafe_b64decode(served.body.split(b".")[1] + b"=="))
    assert payload["status_list"]["aggregation_uri"] == STATUS_URL


async def test_tsl_8_4_the_past_is_as_it_was(world: World) -> None:
    entry = await entry_of(world)
    start = int(world.now)
    for after, value in (
        (1000, EntryStatus.SUSPENDED),
        (2000, EntryStatus.VALID),
        (3000, EntryStatus.INVALID),
    ):
        world.now = start + after
        await set_status(world, entry, value)
    world.now = start + 4000.0
    await world.publisher.refresh()
    found = {}
    for after in (500, 999, 1000, 1999, 2000, 2999, 3000):
        world.now += 1  # few are made in a second
        answer = await get(world, entry.list_id, f"time={start + after}")
        token = of_jwt(world, answer, entry.list_id, now=start + after)
        assert token.issued_at <= start + after <= (token.expires_at or 0)
        found[after] = token.status(entry.index)
    assert found == {500: 0, 999: 0, 1000: 2, 1999: 2, 2000: 0, 2999: 0, 3000: 1}
    answer = await get(world, entry.list_id, f"time={start + 1500}", accept=CWT)
    assert of_cwt(world, answer, entry.list_id, now=start + 1500).status(entry.index) == 2


@sqlite_only
@pytest.mark.parametrize("form", ["jwt", "cwt"])
async def test_tsl_8_4_a_relying_party_learns_what_was(world: World, form: Any) -> None:
    """Both sides together: what the endpoint serves of the past is what our verifier takes."""
    entry = await entry_of(world)
    start = int(world.now)
    world.now = start + 1000.0
    await set_status(world, entry, EntryStatus.INVALID)
    jwks = world.keys.credential_jwks()

    async def fetch(url: str, *, accept: str) -> FetchResult:
        if "/.well-known/" in url:
            return FetchResult(200, {}, orjson.dumps({"issuer": ISSUER, "jwks": jwks}))
        answer = await get(world, entry.list_id, urlsplit(url).query, accept=accept)
        return FetchResult(answer.status, {}, answer.body)

    party = RelyingParty(
        ISSUER, fetch=fetch, clock=world.clock, policy=Policy(status_formats=(form,))
    )
    reference = {"uri": f"{STATUS_URL}/{entry.list_id}", "idx": entry.index}
    mandate = read_mandate({**MANDATE, "status": {"status_list": reference}})
    assert await party.check_mandate(mandate, at=start + 500) == "valid"
    for at in (None, start + 1000):
        with pytest.raises(MandateRevoked):
            await party.check_mandate(mandate, at=at)
    with pytest.raises(StatusUnavailable):
        await party.check_mandate(mandate, at=start - HISTORY - 1)


@sqlite_only
async def test_a_past_list_counts_for_its_time_only(world: World) -> None:
    entry = await entry_of(world)
    start = int(world.now)
    world.now += 3600
    await set_status(world, entry, EntryStatus.INVALID)
    answer = await get(world, entry.list_id, f"time={start + 5}")
    assert answer.header("cache-control") == "public, max-age=86400"
    token = of_jwt(world, answer, entry.list_id, now=start + 5)
    assert token.expires_at == start + 65
    with pytest.raises(Exception, match="expired"):
        of_jwt(world, answer, entry.list_id, now=world.now)


@sqlite_only
async def test_since_it_was_signed_the_present_list_serves(world: World) -> None:
    entry = await entry_of(world)
    world.now += 100
    now = await get(world, entry.list_id)
    then = await get(world, entry.list_id, f"time={int(world.now) - 50}")
    assert then.body == now.body


@sqlite_only
@pytest.mark.parametrize(
    ("time", "status"),
    [
        ("-1", 400),
        ("", 400),
        ("soon", 400),
        ("1.5", 400),
        ("１２", 400),
        ("9" * 30, 400),
        ("9" * 5000, 400),
        ("1&time=2", 400),
        ("0", 404),
        ("1", 404),
        ("4000000000", 404),
        ("9" * 12, 404),
    ],
    ids=lambda value: str(value)[:12],
)
async def test_tsl_8_4_odd_and_unknown_times(world: World, time: str, status: int) -> None:
    entry = await entry_of(world)
    assert (await get(world, entry.list_id, f"time={time}")).status == status


@sqlite_only
async def test_tsl_8_4_nothing_is_known_of_before_the_list_nor_beyond_history(
    world: World,
) -> None:
    entry = await entry_of(world)
    start = int(world.now)
    world.now += HISTORY + 3600
    await world.publisher.refresh()
    assert (await get(world, entry.list_id, f"time={start - 1}")).status == 404
    assert (await get(world, entry.list_id, f"time={start + 1800}")).status == 404
    assert (await get(world, entry.list_id, f"time={start + 7200}")).status == 200


@sqlite_only
async def test_the_past_is_made_a_few_times_a_second(world: World) -> None:
    entry = await entry_of(world)
    start = int(world.now)
    world.now += 5000
    await world.publisher.refresh()
    answers = [
        (await get(world, entry.list_id, f"time={start + n}")).status for n in range(PER_SECOND + 1)
    ]
    assert answers == [200] * PER_SECOND + [503]
    assert (await get(world, entry.list_id, f"time={start}")).status == 200  # made before
    assert (await get(world, entry.list_id)).status == 200
    world.now += 1
    assert (await get(world, entry.list_id, f"time={start + PER_SECOND}")).status == 200


# Clocks that move


async def test_a_clock_that_went_back_has_the_list_signed_anew(world: World) -> None:
    entry = await entry_of(world)
    world.now += 7200
    await set_status(world, entry, EntryStatus.INVALID)
    world.now -= 7200
    await world.publisher.refresh()
    token = of_jwt(world, await get(world, entry.list_id), entry.list_id, world.now)
    assert token.issued_at == int(world.now)
    assert token.status(entry.index) == 1


@sqlite_only
async def test_a_clock_that_went_back_brings_nothing_back(world: World) -> None:
    entry = await entry_of(world)
    world.now += 7200
    await set_status(world, entry, EntryStatus.SUSPENDED)
    world.now -= 3600
    await set_status(world, entry, EntryStatus.INVALID)
    token = of_jwt(world, await get(world, entry.list_id), entry.list_id, world.now)
    assert token.status(entry.index) == 1


@sqlite_only
async def test_a_clock_that_leapt_ahead_has_the_list_signed_anew(world: World) -> None:
    entry = await entry_of(world)
    world.now += 10 * 86_400
    assert (await get(world, entry.list_id)).status == 503
    await world.publisher.refresh()
    token = of_jwt(world, await get(world, entry.list_id), entry.list_id, world.now)
    assert token.issued_at == int(world.now)


@sqlite_only
async def test_serving_signs_nothing_and_asks_the_database_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await entry_of(world)

    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("touched")

    monkeypatch.setattr(world.store, "read", None)
    monkeypatch.setattr(world.database, "one", forbidden)
    monkeypatch.setattr(world.database, "all", forbidden)
    monkeypatch.setattr(world.database, "write", forbidden)
    monkeypatch.setattr(world.keys, "signer", forbidden)
    for accept in (JWT, CWT):
        assert (await get(world, entry.list_id, accept=accept)).status == 200
    answer = await call(StatusAggregationEndpoint(world.publisher, 60), path="/status")
    assert answer.status == 200
