"""What a relying party needs somebody to be able to do, and whether an authority covers it.

The judgement is the one that a relying party's own `Mandate.permits` makes: a service or an
amount that is not named is left out of account, one that is named must be covered.
"""

from dataclasses import dataclass
from decimal import Decimal

from corpid.domain.mandate import Limit, MandateTerms, RepresentationType

REGISTER_POWERS = ("represent_organisation",)
"""The power of a director, sole proprietor or partner: by the register, without limit."""


@dataclass(frozen=True, slots=True)
class AuthorityNeed:
    """The powers that somebody must have alone, for these services and up to this amount.

    ``register_suffices`` says that whoever is in the register as a director, sole proprietor or
    partner is enough, whatever the powers are called.
    """

    powers: tuple[str, ...]
    services: tuple[str, ...] = ()
    limit: Limit | None = None
    register_suffices: bool = False

    def met_by_register(self) -> bool:
        """Whether a role in the register covers it."""
        return self.register_suffices or set(self.powers) <= set(REGISTER_POWERS)

    def met_by(self, terms: MandateTerms) -> bool:
        """Whether a mandate covers it. A JOINT one does not: nobody has it alone."""
        if terms.representation_type is not RepresentationType.SOLE:
            return False
        if not set(self.powers) <= set(terms.powers):
            return False
        if terms.services and not set(self.services) <= set(terms.services):
            return False
        return within(self.limit, terms.limit)


def within(wanted: Limit | None, had: Limit | None) -> bool:
    """Whether an amount, if one is wanted, is within a limit, if there is one."""
    if wanted is None or had is None:
        return True
    return had.covers(Decimal(wanted.amount), wanted.currency)
