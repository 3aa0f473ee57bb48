"""Run waiting jobs of some kinds here and now, as a worker would, one after the other and without a broker."""

from sqlalchemy import text

from core.errors import ImpError
from workers.context import Context
from workers.run_job import run_job
from workers.tasks import MODULES, load_work

_NEXT = text("""
    SELECT id, kind FROM jobs WHERE state = 'queued' AND kind = ANY(:kinds) ORDER BY id LIMIT 1
""")


def run_waiting(context: Context, *kinds: str) -> int:
    """Claim and run until none of these kinds waits. Returns how many ran.

    Raises:
        ImpError: one did not end as `done`; its row says why.
    """
    n_run = 0
    while True:
        with context.factory() as session:
            row = session.execute(_NEXT, {"kinds": list(kinds)}).one_or_none()
        if row is None:
            return n_run
        ended = run_job(context, row.id, load_work(MODULES[row.kind]))
        if ended != "done":
            raise ImpError(f"job {row.id} ({row.kind}) ended as {ended}: see `imp jobs show {row.id}`")
        n_run += 1
