"""What to do about an error of PostgreSQL. Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html."""

import psycopg

ADVICE = {
    "3F": "Make the schema that the URL's search_path names, and let the user of REGISTA_STORE use it.",
    "25006": "It takes no writes: give the primary's address in REGISTA_STORE.",
    "42501": "Let the user of REGISTA_STORE own its schema.",
    "42P01": "Is a copy being restored? Then it is tried again; else restore one, or take an empty schema.",
    "53100": "Free some of its disk space.",
    "53": "Give it more memory, or ask less of it.",
    "55P03": "Another process has been writing for long: is one of them stuck?",
    "57014": "The statement took too long: is it overloaded? options=-cstatement_timeout=60s in the URL gives more.",
    "57P": "It is stopping or starting: what waits is tried again.",
    "40": "Others wrote the same at the same time: try again.",
    "58": "Look into its log.",
    "XX": "Look into its log.",
}
"""SQLSTATE, or how it begins, to what to do."""
_CREDENTIALS = "Correct the user and the password in REGISTA_STORE."
REFUSALS = {
    "authentication failed": _CREDENTIALS,
    "no password supplied": _CREDENTIALS,
    "role ": _CREDENTIALS,
    "pg_hba.conf": "Let its pg_hba.conf admit this machine.",
    "database ": "Make the database, for example: createdb NAME",
    "too many ": "Raise its max_connections, or serve with fewer workers.",
    "connection slots": "Raise its max_connections, or serve with fewer workers.",
    "starting up": "It is stopping or starting: what waits is tried again.",
    "shutting down": "It is stopping or starting: what waits is tried again.",
}
"""What is said where a connection is refused, which comes without a SQLSTATE, to what to do."""
UNREACHED = "Is it running, and does REGISTA_STORE say where?"
_FAULTS = (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError, psycopg.NotSupportedError)


def advice(error: psycopg.Error) -> str | None:
    """What to do; None where a mistake in the program is the cause."""
    code = error.sqlstate or ""
    known = next((ADVICE[code[:length]] for length in (5, 3, 2) if code[:length] in ADVICE), None)
    if known or isinstance(error, _FAULTS):
        return known
    said = reason(error).partition("FATAL:")[2]
    return next((what for words, what in REFUSALS.items() if words in said), UNREACHED)


def reason(error: psycopg.Error) -> str:
    """What the server or the network said, in a line. Connection errors hold no password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].removesuffix(".") if lines else type(error).__name__
