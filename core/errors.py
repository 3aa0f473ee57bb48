"""Every error the house raises on purpose; knows no library and no floor above.

ImpError
├── TryAgain            the same call may succeed later (retried with backoff, `retry_after_s` honoured)
│   ├── RateLimited     the other side asked for a pause
│   ├── Unavailable     the other side, or something it needs, is down or slow
│   └── Interrupted     this process is draining; the work goes back to the queue as it stands
└── NeverAgain          trying again changes nothing; someone has to act
    ├── BadInput        a page, file, recording, payload or model output that cannot be used
    ├── NotConfigured   a setting, credential, model or package is missing or wrong
    ├── Denied          the other side refused: wrong token, missing scope, no permission
    ├── NotFound        it is not there (any more)
    ├── Conflict        someone else changed it first
    ├── Cancelled       a person cancelled the job
    └── ClaimLost       another worker has taken this job over; stop without writing
"""


class ImpError(Exception):
    """Base of all expected failures. The message says what is wrong and how to mend it, never a secret."""


class TryAgain(ImpError):
    """A passing fault.

    Args:
        message: what happened, for people.
        retry_after_s: seconds the other side asked us to wait; None lets the caller back off by itself.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(TryAgain):
    """Too many requests; `retry_after_s` carries the pause that was asked for."""


class Unavailable(TryAgain):
    """Timeout, refused or cut connection, 5xx, or a service still starting."""


class Interrupted(TryAgain):
    """The worker was told to stop; the job's checkpoint is kept and the attempt is not counted."""


class NeverAgain(ImpError):
    """A lasting fault: retrying is useless until someone acts."""


class BadInput(NeverAgain):
    """Untrusted input that cannot be used; the message names it and what to do."""


class NotConfigured(NeverAgain):
    """A setting, credential, model or package is missing or wrong; the message names it."""


class Denied(NeverAgain):
    """401/403 and their disguises."""


class NotFound(NeverAgain):
    """404, or a row that no longer exists."""


class Conflict(NeverAgain):
    """A version conflict: somebody else wrote first."""


class Cancelled(NeverAgain):
    """A person asked for this job to stop."""


class ClaimLost(NeverAgain):
    """Another worker claimed the job after our heartbeat stopped; write nothing more."""
