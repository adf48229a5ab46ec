"""A browser that opens boards, and keeps what went wrong in them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page, Route

__all__ = ["Visitor", "expect"]


def expect(locator: Locator) -> Any:
    """Playwright's assertions. They look from outside the page, so its policy against scripts holds during a test."""
    from playwright.async_api import expect

    return expect(locator)


class Visitor:
    """Opens pages that may talk to loopback only; what went wrong in them is kept in `faults`."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._stack = AsyncExitStack()
        self.faults: list[str] = []

    async def open(
        self,
        url: str,
        *,
        width: int = 1280,
        height: int = 720,
        scheme: Any = "light",
        rows: bool = True,
        **options: Any,
    ) -> Page:
        """A page in a browser profile of its own, with ranks on it unless `rows` says that there are none."""
        context = await self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **options
        )
        self._stack.push_async_callback(context.close)
        await context.route("**/*", self._route)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))
        page.on("console", self._console)
        await page.goto(url)
        if rows:
            await page.wait_for_selector("#rank-rows tr")
        return page

    async def close(self) -> None:
        await self._stack.aclose()

    def _console(self, message: Any) -> None:
        # A lost connection is logged by the browser itself, and some tests cut it on purpose.
        if message.type in {"error", "warning"} and "net::ERR_" not in message.text:
            self.faults.append(f"console: {message.text}")

    async def _route(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in {"http", "https"} and address.hostname != "127.0.0.1":
            self.faults.append(f"a request left the machine: {route.request.url}")
            await route.abort()
            return
        await route.continue_()
