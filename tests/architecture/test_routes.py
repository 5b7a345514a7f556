"""The comparison of routes with the OpenAPI document finds what either side lacks."""

from tools.check_routes import differences

DOCUMENT = {"paths": {"/token": {"post": {}, "parameters": []}, "/jwks": {"get": {}}}}


def test_equal_sides_differ_in_nothing() -> None:
    routed = [("POST", "/token"), ("GET", "/jwks"), ("HEAD", "/jwks"), ("OPTIONS", "/token")]
    assert list(differences(routed, DOCUMENT)) == []


def test_a_route_that_is_not_described_is_found() -> None:
    routed = [("POST", "/token"), ("GET", "/jwks"), ("POST", "/par")]
    assert list(differences(routed, DOCUMENT)) == [
        "POST /par: routed, but not in the OpenAPI document"
    ]


def test_a_described_operation_that_is_not_routed_is_found() -> None:
    assert list(differences([("GET", "/token"), ("GET", "/jwks")], DOCUMENT)) == [
        "GET /token: routed, but not in the OpenAPI document",
        "POST /token: in the OpenAPI document, but not routed",
    ]
