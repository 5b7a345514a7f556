"""The adapter of the live open-data API, against a client that answers from a table."""

from collections.abc import Mapping

import orjson
import pytest

from corpid.domain.business_number import parse_business_number
from corpid.registers.companies_registry import BASE_URL, MAX_BODY, CompaniesRegistry
from corpid.registers.port import Register, RegisterRefused, RegisterUnavailable

KITE = {
    "Brn": "99000001",
    "English_Company_Name": "SAMPLE KITE TRADING LIMITED",
    "Chinese_Company_Name": "NULL",
    "Address_of_Registered_Office": "1 EXAMPLE ROAD",
    "Company_Type": "Private company limited by shares",
    "Date_of_Incorporation": "14-03-2011",
    "Re-domiciliation_Date": None,
}
WIDGETS = {
    "Brn": "99400001",
    "Corporate_Name": "Sample Overseas Widgets GmbH",
    "Place_of_Incorporation": "NOWHERELAND",
    "Date_of_Registration": "18-04-2013",
}
MISS = (400, b'{"status":400,"message":"No result found."}')
NUMBER = parse_business_number("99000001")

Answer = tuple[int, bytes] | Exception


class Client:
    """Answers by place (local, foreign) and remembers what was asked."""

    def __init__(self, local: Answer = MISS, foreign: Answer = MISS) -> None:
        self.answers = {"local": local, "foreign": foreign}
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def get(self, url: str, params: Mapping[str, str]) -> tuple[int, bytes]:
        self.asked.append((url, dict(params)))
        answer = self.answers[url.split("/")[-2]]
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok(*rows: object) -> tuple[int, bytes]:
    return 200, orjson.dumps(list(rows))


def registry(client: Client) -> CompaniesRegistry:
    return CompaniesRegistry(client, lambda: 1_795_000_000.9)


async def test_a_lookup_asks_for_the_number_and_dates_the_answer() -> None:
    client = Client(ok(KITE))
    register: Register = registry(client)
    entry = await register.lookup(NUMBER)
    assert entry is not None
    assert entry.names.en == "SAMPLE KITE TRADING LIMITED"
    assert entry.source == register.source == "hk.companies_registry"
    assert entry.as_of == "2026-11-18T11:06:40Z"
    assert client.asked == [
        (
            f"{BASE_URL}/local/search",
            {
                "query[0][key1]": "Brn",
                "query[0][key2]": "equal",
                "query[0][key3]": "99000001",
                "format": "json",
            },
        )
    ]


@pytest.mark.parametrize("miss", [MISS, (200, b"[]"), (200, MISS[1])])
async def test_a_miss_is_none_after_both_sets_were_asked(miss: tuple[int, bytes]) -> None:
    client = Client(miss, miss)
    assert await registry(client).lookup(NUMBER) is None
    assert [url.split("/")[-2] for url, _ in client.asked] == ["local", "foreign"]


async def test_a_non_hong_kong_company_is_found_in_its_own_set() -> None:
    entry = await registry(Client(foreign=ok(WIDGETS))).lookup(parse_business_number("99400001"))
    assert entry is not None
    assert entry.place_of_incorporation == "NOWHERELAND"
    client = Client()
    await registry(client).lookup(parse_business_number("F9999901"))
    assert [url.split("/")[-2] for url, _ in client.asked] == ["foreign"]


async def test_an_answer_about_another_company_is_no_answer() -> None:
    assert await registry(Client(ok(KITE | {"Brn": "99000002"}))).lookup(NUMBER) is None


async def test_a_branch_is_not_in_this_register_and_the_head_office_is() -> None:
    client = Client(ok(KITE))
    assert await registry(client).lookup(parse_business_number("99000001-001")) is None
    assert client.asked == []
    assert await registry(client).lookup(parse_business_number("99000001-000")) is not None


@pytest.mark.parametrize(
    "message", ["Invalid requested Item.", "Invalid requested Filter.", "Something new."]
)
@pytest.mark.parametrize("status", [200, 400])
async def test_an_error_object_is_a_refusal_with_its_message(status: int, message: str) -> None:
    body = orjson.dumps({"status": 400, "message": message})
    with pytest.raises(RegisterRefused, match=message):
        await registry(Client((status, body))).lookup(NUMBER)


@pytest.mark.parametrize(
    "answer",
    [
        (403, b"denied"),
        (404, MISS[1]),
        (429, b""),
        (500, b"[]"),
        (302, b""),
        (200, b""),
        (200, b"<html>"),
        (200, b"5"),
        (200, b"{}"),
        (200, b'{"status":500,"message":"Internal"}'),
        (400, b"[]"),
        (200, b"[" * 100_000),
        (200, b"[" + b" " * MAX_BODY + b"]"),
        ok(KITE | {"Date_of_Incorporation": "soon"}),
        ConnectionResetError(),
        TimeoutError(),
    ],
)
async def test_no_usable_answer_is_never_a_miss(answer: Answer) -> None:
    with pytest.raises(RegisterUnavailable):
        await registry(Client(answer)).lookup(NUMBER)


async def test_a_search_is_by_the_beginning_of_a_name() -> None:
    client = Client(ok(KITE, "odd", {"Brn": "1"}, KITE | {"Brn": "99000002"}), ok(WIDGETS))
    found = await registry(client).search("  sample   kite ", limit=5)
    assert [str(entry.number) for entry in found] == ["99000001", "99000002"]
    assert client.asked[0][1]["query[0][key1]"] == "Comp_name"
    assert client.asked[0][1]["query[0][key2]"] == "begins_with"
    assert client.asked[0][1]["query[0][key3]"] == "sample kite"
    assert len(await registry(client).search("sample", limit=1)) == 1
    assert len(await registry(client).search_non_hong_kong("sample")) == 1
    assert client.asked[-1][1]["query[0][key1]"] == "Corp_name_full"


async def test_an_empty_search_asks_nothing() -> None:
    client = Client()
    assert await registry(client).search(" ") == []
    assert await registry(client).search("sample", limit=0) == []
    assert client.asked == []
    assert await registry(client).search("nobody") == []
