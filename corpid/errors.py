"""Errors of the running service that are no rule of the domain: they stop a start."""


class ServiceError(Exception):
    """The service cannot start or go on; the message says what to do."""

    code = "service_error"


class ConfigurationError(ServiceError):
    """A setting is missing or wrong."""

    code = "configuration_error"


class WrongDatabase(ServiceError):
    """The database belongs to another issuer, another master key, or another version."""

    code = "wrong_database"


class NotInitialised(ServiceError):
    """The database has not been made yet."""

    code = "not_initialised"
