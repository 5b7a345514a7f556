"""How surely somebody must have signed in for what they want to do now (RFC 9470)."""

from corpid.domain.person import Assurance
from oidc.errors import InsufficientUserAuthentication


class StepUp:
    """Compares the ``acr`` of a grant with what is needed. ``acr_base`` is what acr values begin
    with.
    """

    def __init__(self, acr_base: str) -> None:
        self._ranks = {f"{acr_base}/{level}": level.rank for level in Assurance}
        self._uris = {level.value: f"{acr_base}/{level}" for level in Assurance}

    def require(self, acr: str | None, needed: str) -> None:
        """Refuse a sign-in below ``needed`` (``loa2``). None passes: nobody signed in for it.

        Raises:
            InsufficientUserAuthentication: with the acr value to ask for.
        """
        if acr is None:
            return
        uri = self._uris[needed]
        if self._ranks.get(acr, 0) < self._ranks[uri]:
            raise InsufficientUserAuthentication(
                "a surer sign-in is needed for this", acr_values=(uri,)
            )
