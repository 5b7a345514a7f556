"""The port of what waits for a person while its client asks."""

from typing import Protocol

from oidc.records import PolledRequest


class PolledRequests(Protocol):
    """Open requests, oldest first; so many at most as a page can show."""

    async def waiting_for(
        self, grant_type: str, person_id: str, now_ms: int
    ) -> list[PolledRequest]:
        """Those to this very person."""

    async def waiting_at(
        self, grant_type: str, organisation_id: str, now_ms: int
    ) -> list[PolledRequest]:
        """Those to whoever may act for this business."""
