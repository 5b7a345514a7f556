"""The Companies Registry's open-data API: live companies, free and without a key.

`GET {base}/local/search` and `/foreign/search` with one condition in `query[0][key1]` (field),
`[key2]` (operator) and `[key3]` (value). `Brn` knows only `equal`, names only `begins_with`. An
answer is a JSON array of at most 100 rows. A miss is an empty array, or status 400 with the
message "No result found."; other faults are an object {"status": 400, "message": ...}.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import orjson

from corpid.domain.business_number import BusinessNumber
from corpid.domain.register_entry import RegisterEntry
from corpid.registers.open_data import NUMBER, UnusableRow, entry_from_row
from corpid.registers.port import RegisterRefused, RegisterUnavailable
from keys.clock import Clock

BASE_URL: Final = "https://data.cr.gov.hk/cr/api/api/v1/api_builder/json"
MAX_BODY: Final = 1024 * 1024
"""Largest answer in bytes; a hundred rows are about 40 kB."""

MAX_PREFIX: Final = 200
"""Longest name prefix in characters."""

_LOG: Final = logging.getLogger(__name__)
_NO_RESULT: Final = "no result found"
_LOCAL_NAME: Final = "Comp_name"
_FOREIGN_NAME: Final = "Corp_name_full"


class HttpClient(Protocol):
    """What the adapter needs of an HTTP client.

    It sends a non-empty User-Agent (the service answers 403 otherwise), follows no redirect to
    another host, has a time limit, and stops reading soon after MAX_BODY.
    """

    async def get(self, url: str, params: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer; raises OSError or TimeoutError where there is none."""
        ...


class CompaniesRegistry:
    """A Register over the live API. Positive evidence only: it has no ended business."""

    source = "hk.companies_registry"

    def __init__(self, http: HttpClient, clock: Clock, *, base_url: str = BASE_URL) -> None:
        self._http = http
        self._clock = clock
        self._base_url = base_url.rstrip("/")

    async def lookup(self, number: BusinessNumber) -> RegisterEntry | None:
        """The live company of this number, local before non-Hong Kong; None for branches.

        Raises RegisterUnavailable, RegisterRefused.
        """
        if not number.is_head_office:
            return None  # branches are the Business Registration Office's, not in this register
        value = number.value
        places = ("foreign",) if value.startswith("F") else ("local", "foreign")
        for place in places:
            rows = await self._query(place, NUMBER, "equal", value)
            # The service has been seen to answer with a company that was not asked for.
            for row in rows:
                if row.get(NUMBER) == value:
                    return self._entry(row)
        return None

    async def search(self, prefix: str, *, limit: int = 20) -> list[RegisterEntry]:
        """Live local companies whose English or Chinese name begins so, at most 100.

        Rows that cannot be read are left out. Raises RegisterUnavailable, RegisterRefused.
        """
        return await self._search("local", _LOCAL_NAME, prefix, limit)

    async def search_non_hong_kong(self, prefix: str, *, limit: int = 20) -> list[RegisterEntry]:
        """As `search`, among registered non-Hong Kong companies."""
        return await self._search("foreign", _FOREIGN_NAME, prefix, limit)

    async def _search(self, place: str, field: str, prefix: str, limit: int) -> list[RegisterEntry]:
        name = " ".join(prefix.split())[:MAX_PREFIX]
        if not name or limit < 1:
            return []
        entries = []
        for row in await self._query(place, field, "begins_with", name):
            try:
                entries.append(entry_from_row(row, source=self.source, as_of=self._now()))
            except UnusableRow as error:
                # One odd row does not hide the others from the person who searches.
                _LOG.warning("a row of the register's answer is left out: %s", error)
        return entries[:limit]

    def _entry(self, row: Mapping[str, Any]) -> RegisterEntry:
        try:
            return entry_from_row(row, source=self.source, as_of=self._now())
        except UnusableRow as error:
            raise RegisterUnavailable(f"the register's row cannot be read: {error}") from error

    def _now(self) -> str:
        return datetime.fromtimestamp(int(self._clock()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def _query(
        self, place: str, field: str, operator: str, value: str
    ) -> list[Mapping[str, Any]]:
        params = {
            "query[0][key1]": field,
            "query[0][key2]": operator,
            "query[0][key3]": value,
            "format": "json",
        }
        try:
            status, body = await self._http.get(f"{self._base_url}/{place}/search", params)
        except (OSError, TimeoutError) as error:
            raise RegisterUnavailable("the register did not answer") from error
        return _rows(status, body)


def _rows(status: int, body: bytes) -> list[Mapping[str, Any]]:
    """The rows of an answer, none for a miss; raises RegisterUnavailable, RegisterRefused."""
    if status not in (200, 400):
        raise RegisterUnavailable(f"the register answered with status {status}")
    if len(body) > MAX_BODY:
        raise RegisterUnavailable(f"the register's answer is longer than {MAX_BODY} bytes")
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RegisterUnavailable("the register's answer is not JSON") from error
    if isinstance(answer, list) and status == 200:
        return [row for row in answer if isinstance(row, dict)]
    message = answer.get("message") if isinstance(answer, dict) else None
    if not isinstance(message, str):
        raise RegisterUnavailable("the register's answer is of an unknown form")
    if message.strip().rstrip(".").lower() == _NO_RESULT:
        return []
    if answer.get("status") == 400:
        raise RegisterRefused(f"the register refused the query: {message[:200]}")
    raise RegisterUnavailable(f"the register reported a fault: {message[:200]}")
