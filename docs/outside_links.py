"""For mkdocs: what the site takes from outside docs/, and where links that lead there go.

Pages link to files of the repository as one does on a code host, `../cluster.yaml`. A site has only
what is in docs/, so such links become addresses in the repository, which pyproject.toml names once.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
# Files of the repository that are pages of the site too, by the name of the page.
PAGES = {"changelog.md": ROOT / "CHANGELOG.md", "contributing.md": ROOT / "CONTRIBUTING.md"}
LINK = re.compile(r"(?<=\]\()(?!https?://|#)([^)#\s]+)")


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that do not stand in docs/."""
    for name, source in PAGES.items():
        files.append(File.generated(config, name, content=source.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """A page's text with the links that its place on the site needs."""
    source = PAGES.get(page.file.src_uri, DOCS / page.file.src_uri)
    return LINK.sub(lambda link: _on_site(link[1], source), markdown)


def _on_site(link: str, source: Path) -> str:
    """Where a link of the file `source` leads on the site."""
    target = Path(os.path.normpath(source.parent / link))
    if not target.exists():
        raise PluginError(f"{source.relative_to(ROOT)} links to {link}, which does not exist")
    for name, page in PAGES.items():
        if target == page:
            return name
    if target.is_relative_to(DOCS):
        return str(target.relative_to(DOCS))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['urls']['Repository']}/blob/main/{target.relative_to(ROOT)}"
