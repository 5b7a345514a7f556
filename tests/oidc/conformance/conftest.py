from tests.support.fapi_suite import suite
from tests.support.live_service import cast, http, live, live_services, visitor

__all__ = ["cast", "http", "live", "live_services", "suite", "visitor"]
