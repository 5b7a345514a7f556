"""How many pushed requests of a client wait, counted up to a bound."""

from corpid.storage.store import SqlStore
from tests.support.stored import NOW, digest, pushed_request


async def test_counted_requests_that_wait_are_counted_up_to_a_bound(store: SqlStore) -> None:
    async def of(client_id: str, now_ms: int = NOW, at_most: int = 9) -> int:
        return await store.provider.write(
            lambda writes: writes.open_pushed_requests(client_id, now_ms, at_most)
        )

    for number in range(4):
        one = pushed_request(f"par-{number}", counted=True)
        await store.provider.write(lambda w, one=one: w.add_pushed_request(one))  # type: ignore[misc]
    await store.provider.write(lambda w: w.add_pushed_request(pushed_request("not counted")))
    assert await store.provider.read.pushed_request(digest("par-1")) == pushed_request(counted=True)
    assert await of("client-1") == 4
    assert await of("client-1", at_most=3) == 3
    assert await of("client-2") == 0
    assert await of("client-1", NOW + 60_000) == 0
    await store.provider.write(lambda w: w.claim_pushed_request(digest("par-1"), NOW))
    assert await of("client-1") == 3
