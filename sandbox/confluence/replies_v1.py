"""What the v1 routes answer with: one content, or a list of it, expanded as asked and cut to size."""

from typing import Any

from sandbox.confluence import shapes_v1 as shapes
from sandbox.confluence.calls import Call, page_v1
from sandbox.confluence.store import Content

Json = dict[str, Any]
USUAL = "space,history,version"


def reply(call: Call, c: Content) -> Json:
    """One content as its own answer: expanded as asked, with the links only an outermost object has."""
    written = "expand" in call.query or call.method == "GET"
    tree = asked_or_usual(call) if written else shapes.expansion(f"{USUAL},body.storage,ancestors")
    found = shapes.content(call, c, tree)
    links = {"context": call.context, "base": call.base, "collection": f"{call.context}/rest/api/content"}
    found["_links"] |= links
    return found


def asked_or_usual(call: Call) -> shapes.Tree:
    """Both servers expand `space,history,version` when `expand` is not given at all."""
    return shapes.expansion(call.query.get("expand", USUAL))


def listing(call: Call, found: list[Content], *, default: int = 25, tree: shapes.Tree | None = None) -> Json:
    tree = shapes.asked(call) if tree is None else tree
    window, envelope = page_v1(call, found, default=default, most=largest_page(call, tree))
    return {"results": [shapes.content(call, c, tree) for c in window]} | envelope


def largest_page(call: Call, tree: shapes.Tree) -> int:
    """Real servers cut `limit` in silence, the more is expanded the lower.

    Data Center's documented steps for content are 1000 bare, 200 expanded, 100 with bodies, 25 with
    `export_view` or `styled_view`; Cloud stops at 250.
    """
    bodies = set(tree.get("body", {}))
    if bodies & {"export_view", "styled_view"}:
        return 25
    if call.is_cloud:
        return 100 if bodies else 250
    return 100 if bodies else 200 if tree else 1000
