"""A built site has no broken link, asks nothing of another machine, and shows no formula as source.

    python docs/check_site.py FOLDER

Links are those within the site, with their anchors. What a browser loads by itself (scripts,
styles, pictures, fonts) has to come from the site; links that a reader clicks may lead elsewhere.
"""

import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "link": "href"}
NOT_LOADED = {"search", "next", "prev", "index", "canonical", "author", "help"}  # rel of <link>
WITHOUT_FORMULAS = {"script", "style", "code", "pre", "title", "option"}
FORMULA = re.compile(r"\$[^$\s][^$]*\$|\\(?:frac|sum|lVert|mathbb|alpha|lambda|begin)\b")
EMPTY = {"meta", "link", "img", "input", "br", "hr", "source", "path", "wbr"}


class Page(HTMLParser):
    """Anchors, links, loaded files and suspicious text of a page."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded, self.formulas = set(), [], [], []
        self._open = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes.get("id"), attributes.get("name")}
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if tag not in EMPTY:
            self._open.append((tag, "math" in (attributes.get("class") or "").split()))
        relations = set((attributes.get("rel") or "").split())
        if attributes.get(LOADED.get(tag)) and not NOT_LOADED & relations:
            self.loaded.append(attributes[LOADED[tag]])

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if not any(tag in WITHOUT_FORMULAS or math for tag, math in self._open):
            self.formulas += FORMULA.findall(data)


def pages(folder):
    """All but the templates that a theme keeps among its files."""
    return [path for path in folder.rglob("*.html") if "_static" not in path.parts]


def faults(folder):
    """A line for each fault."""
    files = {path: Page(path.read_text(encoding="utf-8")) for path in pages(folder)}
    for path, page in files.items():
        name = path.relative_to(folder)
        yield from (f"{name}: formula as source: {formula}" for formula in page.formulas)
        for address in page.loaded + page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                if address in page.loaded and parts.scheme != "data":
                    yield f"{name}: loads {address}"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.exists():
                yield f"{name}: no file {address}"
            elif anchor and target in files and anchor not in files[target].anchors:
                yield f"{name}: no anchor {address}"
    for name in ("search", "genindex"):  # Sphinx writes its own page over one of this name
        if any(folder.glob(f"_sources/{name}.*")):
            yield f"{name}.html: a page of the guide is lost under it"
    for path in folder.rglob("*.css"):
        for address in re.findall(r"url\(\s*['\"]?(https?:[^)'\"]+)", path.read_text("utf-8")):
            yield f"{path.relative_to(folder)}: loads {address}"


def main():
    folder = Path(sys.argv[1]).resolve()
    found = Counter(faults(folder))
    print("\n".join(found))
    print(f"{len(pages(folder))} pages, {len(found)} faults")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
