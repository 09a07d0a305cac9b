"""Every error the adapter raises on purpose; each carries Issues, which become an OperationOutcome.

AdapterError
├── Malformed        the bytes are not what they claim to be (HTTP 400, exit 1)
├── Unprocessable    well-formed, but not a record that can be evaluated (HTTP 422, exit 1)
├── TooLarge         over the configured limit (HTTP 413, exit 1)
└── CannotStart      a setting or a content file is wrong (exit 2)
"""

from __future__ import annotations

from collections.abc import Iterable

from adapter.records import Issue


class AdapterError(Exception):
    """Base: ``issues`` says what is wrong and where, without data of the patient."""

    status = 500

    def __init__(self, *issues: Issue) -> None:
        self.issues = issues
        super().__init__("; ".join(f"{i.place}: {i.text}" if i.place else i.text for i in issues))


class Malformed(AdapterError):
    status = 400


class Unprocessable(AdapterError):
    status = 422


class TooLarge(AdapterError):
    status = 413


class CannotStart(AdapterError):
    status = 500


def refused_status(issues: Iterable[Issue]) -> int:
    """The HTTP status of a refused record: 422 where it is well-formed and of a kind that is not read, else 400."""
    wrong = [issue for issue in issues if issue.severity in ("fatal", "error")]
    return 422 if wrong and all(issue.code == "not-supported" for issue in wrong) else 400
