"""Failures on demand: rules that say which method breaks, how, how often. Knows no Slack method by name."""

import random
import re
from dataclasses import dataclass
from typing import Any

KINDS = ("rate_limit", "server_error", "slow", "cut", "malformed", "error")


@dataclass
class Fault:
    """`method` is a regular expression for the whole method name; `count` None means for ever."""

    method: str
    kind: str
    probability: float = 1.0
    count: int | None = None
    retry_after_s: int = 1
    status: int = 503
    delay_s: float = 5.0
    error: str = "fatal_error"
    n_hit: int = 0


def parse_faults(rules: Any) -> list[Fault]:
    """Rules from JSON; raises ValueError that names the rule and what is wrong with it."""
    if not isinstance(rules, list):
        raise ValueError("rules must be a list")
    return [_parse(i, rule) for i, rule in enumerate(rules)]


def _parse(i: int, rule: Any) -> Fault:
    try:
        fault = Fault(**{k: v for k, v in dict(rule).items() if k != "n_hit"})
        re.compile(fault.method)
    except (TypeError, ValueError, re.error) as exc:
        raise ValueError(f"rule {i}: {exc}") from exc
    if fault.kind not in KINDS:
        raise ValueError(f"rule {i}: kind must be one of {', '.join(KINDS)}")
    if not 0 <= fault.probability <= 1:
        raise ValueError(f"rule {i}: probability must lie between 0 and 1")
    if not 0 <= fault.delay_s <= 120:
        raise ValueError(f"rule {i}: delay_s must lie between 0 and 120")
    return fault


def next_fault(faults: list[Fault], method: str, rng: random.Random) -> Fault | None:
    """The first rule that strikes this call; counts it as used."""
    for fault in faults:
        spent = fault.count is not None and fault.n_hit >= fault.count
        if not spent and re.fullmatch(fault.method, method) and rng.random() < fault.probability:
            fault.n_hit += 1
            return fault
    return None
