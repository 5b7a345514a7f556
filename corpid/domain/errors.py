"""What the domain refuses, as typed errors. No HTTP status and no protocol code lives here."""


class DomainError(Exception):
    """A rule of the product was broken.

    ``code`` is stable and meant for programs; the message is a sentence for the person who
    met it and says what to do.
    """

    code = "domain_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(DomainError):
    """Nothing is known under that name or number."""

    code = "not_found"


class AlreadyExists(DomainError):
    """Something with that name or number exists already."""

    code = "already_exists"


class NotAllowed(DomainError):
    """The person or organisation has no authority for this act."""

    code = "not_allowed"


class IllegalTransition(DomainError):
    """The act does not fit the state that the thing is in."""

    code = "illegal_transition"


class InvalidValue(DomainError):
    """A value is outside what the model permits."""

    code = "invalid_value"


class ListFull(DomainError):
    """No status list has a free entry."""

    code = "status_lists_full"
