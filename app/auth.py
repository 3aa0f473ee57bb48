"""Who is asking over HTTP: a bearer token, or the cookie that `/login` made of one."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request, status

from core.access import passed_gates
from workers.context import Context
from workers.people import person_of_token

COOKIE = "imp_token"


def context_of(request: Request) -> Context:
    """The process' one context, put there by `app.web.make_app`."""
    context: Context = request.app.state.context
    return context


def current_person(request: Request) -> int:
    """The person's id; 401 when the token is missing, unknown or revoked."""
    token = _token(request)
    person_id = None
    if token:
        with context_of(request).factory() as session:
            person_id = person_of_token(session, token)
    if person_id is None:
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED,
            "a bearer token is needed: an admin makes one with `imp people token EMAIL`",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return person_id


def may_open(context: Context, person_id: int, gate_ids: list[int] | None) -> bool:
    """True when the person passes every door; unknown doors are closed."""
    if gate_ids is None:
        return False
    with context.factory() as session:
        return set(gate_ids) <= set(passed_gates(session, person_id))


def _token(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    return request.cookies.get(COOKIE)


PersonId = Annotated[int, Depends(current_person)]
Ctx = Annotated[Context, Depends(context_of)]
