"""Others' servers as a table: address to document. What is not in it fails."""

from dataclasses import dataclass, field

from oidc.ports import Fetched, FetchFailed


@dataclass
class TableOutbound:
    """``oidc.ports.Outbound``; ``asked`` is every address in order, ``posted`` what was sent."""

    documents: dict[str, Fetched | FetchFailed] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    posted: list[tuple[str, bytes, str]] = field(default_factory=list)

    def says(
        self,
        url: str,
        body: bytes,
        *,
        media_type: str = "application/json",
        max_age: int | None = None,
    ) -> None:
        self.documents[url] = Fetched(body, media_type, max_age)

    async def get(self, url: str, *, max_bytes: int, accept: str = "application/json") -> Fetched:
        self.asked.append(url)
        found = self.documents.get(url.partition("#")[0])
        if found is None:
            raise FetchFailed("the answer is 404, not 200")
        if isinstance(found, FetchFailed):
            raise found
        if len(found.body) > max_bytes:
            raise FetchFailed(f"the answer has more than {max_bytes} bytes")
        return found

    async def post(self, url: str, body: bytes, content_type: str, *, max_bytes: int) -> int:
        self.asked.append(url)
        self.posted.append((url, body, content_type))
        if url not in self.statuses:
            raise FetchFailed("the server does not answer")
        return self.statuses[url]
