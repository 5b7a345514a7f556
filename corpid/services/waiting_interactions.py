"""A live interaction of one browser, as the pages have it; and that there is none."""

from dataclasses import dataclass

from corpid.services.interaction_steps import Progress
from corpid.services.polled_interactions import Polled
from corpid.services.records import Interaction
from oidc.ports import AuthorizationRequest


class InteractionGone(Exception):
    """There is no such interaction for this browser: unknown, finished, expired, or another's."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A live interaction of this browser. ``csrf`` is what its forms must carry."""

    interaction_id: str
    record: Interaction
    request: AuthorizationRequest
    csrf: str
    polled: Polled | None = None

    @property
    def progress(self) -> Progress:
        """What was done on the pages so far."""
        record = self.record
        return Progress(record.created_at, record.person_id, record.organisation_id)
