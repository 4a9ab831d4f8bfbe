"""A browser's tab with a page of this project, which must neither complain nor ask for more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Page

from support.scripts import HANG

CHART = ".chart .main-svg"  # of a page that has been drawn


def quiet_tab(browser: Browser, file: Path, **options: Any) -> Iterator[Page]:
    """The tab, for a fixture to yield from. At its end: no message, no dialog, no request."""
    wrong: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        wrong.append(dialog.message)
        dialog.dismiss()

    with browser.new_context(**options) as context:
        context.set_default_timeout(HANG * 1000)
        tab = context.new_page()
        tab.on("console", lambda message: wrong.append(message.text))
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("dialog", dismiss)

        def refuse(route: Any) -> None:
            if route.request.url.startswith("file:"):
                route.continue_()
            else:
                wrong.append(route.request.url)
                route.abort()

        context.route("**/*", refuse)
        tab.goto(file.as_uri())
        tab.wait_for_selector(CHART)
        yield tab
        assert wrong == []


def unfold(tab: Page) -> None:
    """Opens all that is folded, and waits until its charts are drawn."""
    tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    tab.wait_for_function(
        "[...document.querySelectorAll('.chart')].every(one => one.querySelector('.main-svg'))"
    )
