"""`/healthz` (this process lives), `/readyz` (it can answer), `/metrics` (Prometheus)."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.auth import Ctx
from app.checks import ready_checks
from app.table_metrics import exposition

router = APIRouter(tags=["operations"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Alive: asks nobody."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "Something this process needs is missing"}})
def readyz(context: Ctx) -> JSONResponse:
    """Ready: Postgres, migrations, Redis and models, each with what is wrong."""
    checks = list(ready_checks(context))
    body: dict[str, Any] = {check.name: check.problem or "ok" for check in checks}
    return JSONResponse(body, status_code=200 if all(check.problem is None for check in checks) else 503)


@router.get("/metrics", response_class=Response)
def metrics(context: Ctx) -> Response:
    """This process' counters, and what the tables say of jobs, documents and recordings."""
    return Response(generate_latest() + exposition(context), media_type=CONTENT_TYPE_LATEST)
