"""The stand-in's replies against Atlassian's own OpenAPI files.

Laxer or odd in those files, so checked otherwise here:

- v2 marks almost nothing as required, so an empty object would pass: `required` below adds the fields that
  every recorded reply has.
- v2 says `parentId`, `message`, … are plain strings while recorded replies have null there (`parentType` of a
  root page): an explicit null is taken where the type is a string.
- v1 (of 2022) declares required `_expandable`/`_links` parts inconsistently, e.g. `User` wants no `accountId`
  but `Content` wants every `_expandable`; fields newer than the file are allowed, as it says itself
  (`additionalProperties` is true almost everywhere).
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from sandbox.confluence.process import ConfluenceSandbox
from tests.sandbox.confluence_company import ADMIN_LOGIN, ANN

V2_GETS = {
    "/pages": "pages?body-format=storage",
    "/pages/{id}": "pages/1002?include-labels=true&include-properties=true&include-versions=true",
    "/spaces/{id}/pages": "spaces/{space}/pages",
    "/pages/{id}/children": "pages/1001/children",
    "/pages/{id}/ancestors": "pages/1010/ancestors",
    "/pages/{id}/versions": "pages/1002/versions",
    "/pages/{page-id}/versions/{version-number}": "pages/1002/versions/1",
    "/pages/{id}/labels": "pages/1002/labels",
    "/pages/{page-id}/properties": "pages/1002/properties",
    "/pages/{id}/attachments": "pages/1002/attachments",
    "/attachments": "attachments",
    "/attachments/{id}": "attachments/{attachment}",
    "/pages/{id}/footer-comments": "pages/3001/footer-comments?body-format=storage",
    "/pages/{id}/inline-comments": "pages/3001/inline-comments?body-format=storage",
    "/footer-comments": "footer-comments",
    "/inline-comments": "inline-comments",
    "/blogposts": "blogposts",
    "/blogposts/{id}": "blogposts/1008",
    "/labels": "labels",
    "/labels/{id}/pages": "labels/1/pages",
    "/spaces": "spaces",
    "/spaces/{id}": "spaces/{space}",
    "/spaces/{id}/permissions": "spaces/{space}/permissions",
    "/spaces/{id}/role-assignments": "spaces/{space}/role-assignments",
    "/space-roles": "space-roles",
    "/folders/{id}": "folders/1009",
}
REQUIRED = {
    "PageBulk": ["id", "status", "title", "spaceId", "authorId", "createdAt", "version", "body", "_links"],
    "PageSingle": ["id", "status", "title", "spaceId", "authorId", "createdAt", "version", "body", "_links"],
    "SpaceBulk": ["id", "key", "name", "type", "status", "homepageId", "_links"],
    "Version": ["number", "createdAt", "authorId", "message", "minorEdit"],
    "Label": ["id", "name", "prefix"],
    "ContentProperty": ["id", "key", "value", "version"],
    "AttachmentBulk": ["id", "status", "title", "pageId", "mediaType", "fileSize", "downloadLink", "version"],
    "PageCommentModel": ["id", "status", "pageId", "version", "body"],
    "PageInlineCommentModel": ["id", "status", "pageId", "version", "body", "resolutionStatus", "properties"],
    "SpacePermissionAssignment": ["id", "principal", "operation"],
    "Ancestor": ["id", "type"],
    "ChildPage": ["id", "status", "title", "spaceId"],
}
V1_GETS = {
    "/wiki/rest/api/content": "content?expand=body.storage,version,ancestors,space,metadata.labels,history",
    "/wiki/rest/api/content/{id}": "content/1002?expand=body.view,version,ancestors,space,restrictions,children.comment",
    "/wiki/rest/api/content/search": "content/search?cql=type=page",
    "/wiki/rest/api/search": "search?cql=type=page",
    "/wiki/rest/api/content/{id}/child/attachment": "content/1002/child/attachment?expand=version",
    "/wiki/rest/api/content/{id}/child/comment": "content/3001/child/comment?expand=body.view,extensions",
    "/wiki/rest/api/content/{id}/history": "content/1002/history",
    "/wiki/rest/api/content/{id}/label": "content/1002/label",
    "/wiki/rest/api/content/{id}/property": "content/1002/property",
    "/wiki/rest/api/content/{id}/restriction": "content/1003/restriction",
    "/wiki/rest/api/content/{id}/restriction/byOperation": "content/1003/restriction/byOperation",
    "/wiki/rest/api/space": "space?expand=permissions,description.plain,homepage",
    "/wiki/rest/api/space/{spaceKey}": "space/ENG",
    "/wiki/rest/api/group": "group",
    "/wiki/rest/api/group/{groupId}/membersByGroupId": "group/{group}/membersByGroupId",
    "/wiki/rest/api/user": f"user?accountId={ANN}",
    "/wiki/rest/api/user/current": "user/current",
    "/wiki/rest/api/user/memberof": f"user/memberof?accountId={ANN}",
}


@pytest.fixture
def furnished(confluence_sandbox: ConfluenceSandbox) -> dict[str, str]:
    """The company plus one attachment and one property; the ids that addresses need."""
    made = confluence_sandbox.act("1002", "attach", filename="a.txt", text="hello")
    url = f"{confluence_sandbox.cloud_url}/rest/api"
    requests.post(
        f"{url}/content/1002/property", json={"key": "imp", "value": {"n": 1}}, auth=ADMIN_LOGIN, timeout=10
    )
    groups = requests.get(f"{url}/group", auth=ADMIN_LOGIN, timeout=10).json()["results"]
    space = requests.get(f"{url}/space/ENG", auth=ADMIN_LOGIN, timeout=10).json()
    return {
        "url": confluence_sandbox.cloud_url,
        "attachment": made["id"],
        "group": groups[1]["id"],
        "space": str(space["id"]),
    }


def spec(shared_data: Callable[[str], Path], name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_data(f"atlassian/openapi/{name}").read_text())
    return found


def complaints(document: dict[str, Any], path: str, reply: Any) -> list[str]:
    """What the declared 200 reply of a GET finds wrong with this one."""
    schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    registry: Registry[Any] = Registry().with_resource("urn:spec", Resource(document, DRAFT4))
    pointed = json.loads(json.dumps(schema).replace('"#/', '"urn:spec#/'))
    validator = OAS30Validator(pointed, registry=registry)
    errors = sorted(validator.iter_errors(reply), key=lambda error: list(map(str, error.absolute_path)))
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors]


def strengthened(document: dict[str, Any]) -> dict[str, Any]:
    """The v2 file with REQUIRED added and nulls allowed for strings."""

    def relax(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "string" and "enum" not in node:
                node["nullable"] = True
            for below in node.values():
                relax(below)
        elif isinstance(node, list):
            for below in node:
                relax(below)

    schemas = document["components"]["schemas"]
    relax(schemas)
    schemas["ParentContentType"]["nullable"] = True
    if "enum" in schemas["ParentContentType"]:
        schemas["ParentContentType"]["enum"].append(None)
    for name, fields in REQUIRED.items():
        schemas[name]["required"] = fields
    return document


@pytest.mark.parametrize("path", V2_GETS)
def test_v2_replies(path: str, furnished: dict[str, str], shared_data: Callable[[str], Path]) -> None:
    document = strengthened(spec(shared_data, "confluence-v2.openapi-v2.v3.json"))
    url = f"{furnished['url']}/api/v2/{V2_GETS[path].format(**furnished)}"
    answer = requests.get(url, auth=ADMIN_LOGIN, timeout=10)
    assert answer.status_code == 200
    reply = answer.json()
    assert reply.get("results", True), "an empty list proves nothing"
    assert complaints(document, path, reply) == []


@pytest.mark.parametrize("path", V1_GETS)
def test_v1_replies(path: str, furnished: dict[str, str], shared_data: Callable[[str], Path]) -> None:
    document = spec(shared_data, "confluence-v1.swagger.v3.json")
    answer = requests.get(
        f"{furnished['url']}/rest/api/{V1_GETS[path].format(**furnished)}", auth=ADMIN_LOGIN, timeout=10
    )
    assert answer.status_code == 200
    reply = answer.json()
    assert reply.get("results", True), "an empty list proves nothing"
    assert complaints(document, path, reply) == []


def test_the_check_notices_a_wrong_reply(shared_data: Callable[[str], Path]) -> None:
    document = strengthened(spec(shared_data, "confluence-v2.openapi-v2.v3.json"))
    assert complaints(document, "/pages", {"results": [{"id": 7}]})
    document = spec(shared_data, "confluence-v1.swagger.v3.json")
    assert complaints(document, "/wiki/rest/api/content/{id}", {"id": "1"})
