"""A person with a browser: goes through the service's pages by reading their forms."""

from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from examples.demo.browser import Browser, one_time_code
from tests.support.live_cast import Human

MAX_PAGES = 8


class Visitor(Browser):
    """A browser that knows the pages' stable names. ``steps`` are the pages it met."""

    def __init__(self, issuer: str, authority: Path | None = None) -> None:
        super().__init__(issuer, authority)
        self.steps: list[str] = []

    @property
    def cookies(self) -> dict[str, str]:
        """Its cookies by name."""
        return dict(self._http.cookies)

    @property
    def cookie_header(self) -> str:
        """Its cookies as they are sent."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def authorize(self, **parameters: str) -> str:
        """Open the authorization endpoint; where that leads without anybody doing anything."""
        self.steps = []
        return self.open(f"{self.home}/authorize?{urlencode(parameters)}")

    def through(
        self,
        human: Human,
        *,
        organisation: str | None = None,
        action: str = "approve",
        otp: str | None = None,
    ) -> dict[str, str]:
        """From a page of the service to the relying party; the parameters it gets there."""
        where = self.address
        for _ in range(MAX_PAGES):
            if not where.startswith(self.home):
                return answer_in(where)
            form = self.form
            assert form is not None, f"a page without a form: {self.title}"
            step = form.fields.get("step", "")
            self.steps.append(step)
            if step == "sign-in":
                where = self.submit(username=human.username, password=human.password)
            elif step == "code":
                where = self.submit(otp=otp or one_time_code(human.secret))
            elif step == "organisation":
                chosen = organisation or form.choices["organisation"][0]
                where = self.submit(organisation=chosen)
            elif step in ("consent", "confirm"):
                where = self.submit(action=action)
            else:
                raise AssertionError(f"the page {step!r} ({self.title}) leads no further")
        raise AssertionError(f"the pages did not come to an end: {self.steps}")


def answer_in(url: str) -> dict[str, str]:
    """The parameters of an authorization response."""
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
