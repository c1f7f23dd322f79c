"""Where the pages of a site are, and what is needed to link from them.

    index.html                        search and facets
    models/<language>/<name>.html     a model with all its releases; .json the same for machines; .ipynb its notebook
    languages/<language>.html         .2.html … further pages
    tasks/<task>.html
    demo.html                         every model's live demo: demo.html?model=en/small_bert_L8_512
    compare.html                      compare.html?models=en/a,en/b
    changelog.html  404.html
    models.json  benchmarking.json  references.json  feed.xml  sitemap.xml  robots.txt
    search/                           what the search reads
    assets/<digest>/                  scripts, styles and the demo's runtime

No path collides with a key of a hub, so a site can be built into the folder of its hub, or laid over it by a server.
Links between pages are relative: a site works at any address, and below any path.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from wellread.errors import BadInput
from wellread.registry.names import Lang, ModelName, parse_name

_LONGEST = 60
"""Characters of a slug before its digest."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What every page of a site needs to know.

    ``title`` is the hub's name. ``address`` is where the site will be, without a slash at its end; empty where nobody
    said. ``download`` stands before a key of the hub in a link; empty where the site lies over its hub, so that a link
    is relative to the site's root. ``uri`` is the hub as ``wellread`` takes it, for people to copy, s3://bucket/prefix
    or https://…; empty where it is a folder of the builder's machine, which no page names. ``keys`` are those that
    ``hub.json`` names. ``notebooks`` is its GitHub folder. ``assets`` is the folder of scripts and styles, named after
    their digest, from the site's root: ``assets/3f2a91c0``. ``demo`` is why there is no live demo, or empty.
    """

    title: str
    address: str = ""
    download: str = ""
    uri: str = ""
    keys: tuple[str, ...] = ()
    notebooks: str = ""
    assets: str = "assets"
    demo: str = "npm was not there when this site was built"

    def link(self, key: str, root: str) -> str:
        """How a page that is ``root`` (``../../``) away from the site's root links to a key of the hub."""
        return f"{self.download}/{key}" if self.download else f"{root}{key}"


def model_path(name: ModelName | str, language: Lang | str) -> str:
    """``models/en/small_bert_L8_512``, to which the kind of file is added."""
    return f"models/{language}/{name}"


def slug(text: str) -> str:
    """A task or any other word as part of a path: ``Named Entity Recognition`` → ``named-entity-recognition``.

    A word with other letters, longer than a file's name should be, or called like a device of Windows, is told apart by
    its digest.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")
    if len(plain) <= _LONGEST and text.isascii() and _names_a_file(plain):
        return plain
    return "-".join(filter(None, [plain[:_LONGEST].strip("-"), sha256(text.encode()).hexdigest()[:8]]))


def _names_a_file(word: str) -> bool:
    with suppress(BadInput):
        return bool(parse_name(word))
    return False


def root_of(path: str) -> str:
    """The way from a page back to the site's root: ``models/en/a.html`` → ``../../``."""
    return "../" * path.count("/")
