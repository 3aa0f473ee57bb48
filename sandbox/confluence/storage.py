"""Storage format as a tree, read tolerantly: it has no root, undeclared prefixes and HTML entities."""

import html
import re
from typing import Any

from lxml import etree

NAMESPACES = {name: f"urn:confluence:{name}" for name in ("ac", "ri", "at")}
ROOT = "<root " + " ".join(f'xmlns:{name}="{uri}"' for name, uri in NAMESPACES.items()) + ">"
UNSEEN = {"ac:parameter", "ac:adf-fallback", "ac:adf-attribute", "ac:placeholder"}
UNSEEN |= {"ac:task-id", "ac:task-status", "ac:task-uuid"}
XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
_ENTITY = re.compile(r"<!\[CDATA\[.*?\]\]>|&(#?\w+);", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def parse(body: str) -> Any:
    """The body below one root element; what cannot be read is skipped rather than refused."""
    source = _CONTROL.sub("", _ENTITY.sub(_character, body))
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=False)
    root = etree.fromstring(f"{ROOT}{source}</root>".encode(), parser)
    return root if root is not None else etree.fromstring(f"{ROOT}</root>")


def is_well_formed(body: str) -> bool:
    """Whether the real server would take it as storage format."""
    source = _CONTROL.sub("", _ENTITY.sub(_character, body))
    try:
        etree.fromstring(f"{ROOT}{source}</root>".encode(), etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError:
        return False
    return True


def _character(found: re.Match[str]) -> str:
    name = found[1]
    if name is None or name in XML_ENTITIES or name.startswith("#"):
        return found[0]
    return html.unescape(found[0]) if html.unescape(found[0]) != found[0] else "&amp;" + found[0][1:]


def tag(element: Any) -> str:
    """`ac:link`, `p`, …; comments and processing instructions are the empty string."""
    if not isinstance(element.tag, str):
        return ""
    name = etree.QName(element)
    prefix = (name.namespace or "").rpartition(":")[2]
    return f"{prefix}:{name.localname}" if prefix else name.localname


def attribute(element: Any, name: str, default: str = "") -> str:
    """An attribute by its prefixed name, e.g. `ri:content-title`."""
    prefix, _, local = name.rpartition(":")
    key = f"{{{NAMESPACES[prefix]}}}{local}" if prefix else local
    return str(element.get(key, default))


def child(element: Any, name: str) -> Any | None:
    return next((below for below in element if tag(below) == name), None)


def descendant(element: Any, *names: str) -> Any | None:
    return next((below for below in element.iter() if below is not element and tag(below) in names), None)


def parameters(macro: Any) -> dict[str, str]:
    """The `ac:parameter` values of a macro by name; the nameless one has the key ``""``."""
    found = [below for below in macro if tag(below) == "ac:parameter"]
    return {attribute(below, "ac:name"): text(below) for below in found}


def text(element: Any) -> str:
    return "".join(element.itertext())


def plain(body: str) -> str:
    """All words of a body, one space between them; used for search and excerpts."""
    root = parse(body)
    for skipped in [element for element in root.iter() if tag(element) in UNSEEN]:
        for part in list(skipped):
            skipped.remove(part)
        skipped.text = ""
    return " ".join(" ".join(root.itertext()).split())


def tick(body: str, task_id: str, complete: bool) -> str:
    """The body with one task ticked or unticked; unchanged when no task has that id."""
    task = re.compile(r"<ac:task>.*?</ac:task>", re.DOTALL)
    wanted = re.compile(rf"<ac:task-id>\s*{re.escape(task_id)}\s*</ac:task-id>")
    status = f"<ac:task-status>{'complete' if complete else 'incomplete'}</ac:task-status>"

    def change(found: re.Match[str]) -> str:
        if not wanted.search(found[0]):
            return found[0]
        return re.sub(r"<ac:task-status>.*?</ac:task-status>", status, found[0], count=1, flags=re.DOTALL)

    return task.sub(change, body)
