"""``python -m corpid.web``: the service, by the settings in the environment."""

import asyncio
import sys

import uvloop
from pydantic import ValidationError

from corpid.domain.errors import DomainError
from corpid.errors import ServiceError
from corpid.settings import Settings
from corpid.storage.errors import StorageError
from corpid.web.app import serve
from corpid.web.edge import configure_logging
from corpid.web.listening import opened
from keys.errors import KeysError


def main() -> int:
    """Serve until told to stop; a start that is not possible is one paragraph and status 1."""
    try:
        settings = Settings()
        configure_logging(settings.log_format)
        with opened(settings) as listening:
            sys.stderr.write(f"corpid: {settings.issuer} {listening.told()}\n")
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve(settings, listening))
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            sys.stderr.write(f"corpid: CORPID_{name}: {fault['msg']}\n")
        return 1
    except (ServiceError, StorageError, DomainError, KeysError) as error:
        sys.stderr.write(f"corpid: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
