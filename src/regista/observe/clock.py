"""How far the wall clock went beyond the time that passed: by a date that jumped ahead nothing is deleted.

A machine that sleeps passes time; one whose date somebody sets, or a time server that is wrong, does not. It knows
nothing of what is deleted.
"""

import time

SLACK_S = 3_600.0
"""What clocks that are set right in small steps may come to; a tenth of the time that things are kept, if less."""
_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def booted_s() -> float:
    """When this machine started by its wall clock, in seconds since 1970: the same as long as the clock goes right."""
    return time.time() - time.clock_gettime(_SINCE_BOOT)


def ahead_s(booted: float, keep_s: float) -> float:
    """How many seconds the clock jumped ahead since `booted_s()` was `booted`; 0 where that may be by chance."""
    ahead = booted_s() - booted
    return ahead if ahead > min(SLACK_S, keep_s / 10) else 0.0
