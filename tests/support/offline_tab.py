"""A page in a browser that it must neither complain in nor ask for anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Page, Route

from support.scripts import HANG


@contextmanager
def offline_tab(browser: Browser, file: Path, **options: Any) -> Iterator[Page]:
    """The file in a fresh profile; at the end it must not have logged, failed, asked or fetched."""
    wrong: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        wrong.append(dialog.message)
        dialog.dismiss()

    def refuse(route: Route) -> None:
        if route.request.url == file.as_uri():
            route.continue_()
        else:
            wrong.append(route.request.url)
            route.abort()

    with browser.new_context(**options) as context:
        context.set_default_timeout(HANG * 1000)
        tab = context.new_page()
        tab.on("console", lambda message: wrong.append(message.text))
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("dialog", dismiss)
        context.route("**/*", refuse)
        tab.goto(file.as_uri())
        yield tab
        assert wrong == []
