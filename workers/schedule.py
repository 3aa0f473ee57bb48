"""What happens by the clock; each entry only enqueues, the work is a job like any other (the sweep: `workers.sweeper`)."""

from typing import Any

from core.settings import Settings


def beat_schedule(settings: Settings) -> dict[str, dict[str, Any]]:
    """Celery beat's table. Messages expire before the next is due, so that none pile up."""

    def every(seconds: float, task: str, queue: str) -> dict[str, Any]:
        options = {"queue": queue, "expires": seconds}
        return {"task": task, "schedule": seconds, "options": options}

    return {
        "poll_sources": every(settings.confluence_poll_s, "imp.poll_sources", "sync"),
        "refresh_gates": every(settings.confluence_gates_s, "imp.refresh_all_gates", "sync"),
        "reconcile": every(3600.0, "imp.reconcile_all", "sync"),
        "remind_reviewers": every(600.0, "imp.remind_reviewers", "io"),
        "clean": every(3600.0, "imp.clean", "io"),
    }
