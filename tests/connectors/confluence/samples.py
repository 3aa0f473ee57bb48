"""Real storage-format pages from the shared test material; tests that need them skip when it is absent."""

import re
from pathlib import Path

import pytest
from lxml import etree

ATLASSIAN = Path(__file__).parents[4] / "shared" / "data" / "atlassian"
_XWIKI_INPUT = re.compile(r"\.input\|confluence\+xhtml/1\.0\n(.*?)\n\.#-+\n\.expect", re.DOTALL)


def _storage_of(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".test":
        return text
    match = _XWIKI_INPUT.search(text)
    lines = match[1].split("\n") if match else []
    return "\n".join(line for line in lines if not line.startswith(".#"))


def _export_bodies(path: Path) -> list[str]:
    root = etree.parse(path, etree.XMLParser(recover=True, huge_tree=False)).getroot()
    return [p.text for p in root.iterfind(".//object[@class='BodyContent']/property[@name='body']") if p.text]


def load_samples() -> dict[str, str]:
    """Every sample by name, those of the whole-site exports included; empty when the material is absent."""
    found = {f"{p.parent.name}/{p.name}": _storage_of(p) for p in sorted((ATLASSIAN / "storage").glob("*/*"))}
    for path in sorted((ATLASSIAN / "xml-export").glob("*/entities.xml")):
        for n, body in enumerate(_export_bodies(path)):
            found[f"{path.parent.name}/body-{n}"] = body
    return found


SAMPLES = load_samples()
needs_samples = pytest.mark.skipif(not SAMPLES, reason="../shared/data/atlassian is not on this machine")
