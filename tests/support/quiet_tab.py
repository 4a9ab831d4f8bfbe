"""A browser's tab with a page of this project, which must neither complain nor ask for more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Page, Route

from support.scripts import HANG

_CHART = ".chart .main-svg"  # of a report that has been drawn


@contextmanager
def quiet_tab(browser: Browser, file: Path, **options: Any) -> Iterator[Page]:
    """The file in a fresh profile; at the end it must not have logged, failed, asked or fetched."""
    wrong: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        wrong.append(dialog.message)
        dialog.dismiss()

    def refuse(route: Route) -> None:
        if route.request.url.partition("#")[0] == file.as_uri():
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


def report_tab(browser: Browser, file: Path, **options: Any) -> Iterator[Page]:
    """A report in such a tab, once its charts are drawn, for a fixture to yield from."""
    with quiet_tab(browser, file, **options) as tab:
        tab.wait_for_selector(_CHART)
        yield tab


def unfold(tab: Page) -> None:
    """Opens all that is folded, and waits until its charts are drawn."""
    tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    wait_until(
        tab, "[...document.querySelectorAll('.chart')].every(one => one.querySelector('.main-svg'))"
    )


def wait_until(tab: Page, holds: str, arg: Any = None) -> None:
    """Waits until the JavaScript `holds` is true of the page, `arg` its argument if it takes one.

    Playwright's own way to wait has the page evaluate text, which these pages forbid.
    """
    until = time.monotonic() + HANG
    while not tab.evaluate(holds, arg):
        assert time.monotonic() < until, f"never so: {holds}"
        tab.wait_for_timeout(50)
