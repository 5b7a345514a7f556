from tests.support.live_service import cast, http, live, live_services, strict, visitor

__all__ = ["cast", "http", "live", "live_services", "strict", "visitor"]
