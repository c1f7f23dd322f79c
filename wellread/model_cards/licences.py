"""A licence as Hugging Face's front matter names it: one of the identifiers it knows, or ``other`` with a name.

The identifiers are those of https://huggingface.co/docs/hub/repositories-licenses that SPDX has too.
"""

from __future__ import annotations

from wellread.model_cards.escaping import line

_THE_SAME = (
    *("afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear"),
    *("bsl-1.0", "cc0-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0"),
    *("cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nd-4.0"),
    *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"),
    *("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0"),
    *("eupl-1.1", "eupl-1.2", "gpl-2.0", "gpl-3.0", "isc", "lgpl-2.1", "lgpl-3.0", "lppl-1.3c", "mit", "mpl-2.0"),
    *("ms-pl", "ncsa", "ofl-1.1", "osl-3.0", "postgresql", "unlicense", "wtfpl", "zlib"),
)
_OTHERWISE = {"c-uda-1.0": "c-uda", "odbl-1.0": "odbl", "odc-by-1.0": "odc-by", "pddl-1.0": "pddl"}
_KNOWN = {name: name for name in _THE_SAME} | _OTHERWISE
"""SPDX's identifier in lower case → Hugging Face's."""


def hugging_face_licence(spdx: str) -> dict[str, str]:
    """The front matter's ``license``, and where Hugging Face does not know it, its ``license_name``."""
    plain = spdx.lower().removesuffix("-only").removesuffix("-or-later")
    return {"license": _KNOWN[plain]} if plain in _KNOWN else {"license": "other", "license_name": line(spdx)}
