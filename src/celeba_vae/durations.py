"""Durations in words."""


def duration(seconds: float) -> str:
    """Write a duration as ``48 s``, ``3 min 12 s`` or ``2 h 05 min``."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"
