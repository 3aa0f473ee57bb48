"""Reads JSON from outside and lets nothing in that could not be sent out again (NaN, lone surrogates, endless nesting)."""

import json
from typing import Any, NoReturn


def strict_json(raw: bytes | str) -> Any:
    """The value of `raw`. Raises ValueError for everything that is not clean JSON."""
    try:
        value = json.loads(raw, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
