"""Every error the rules package raises.

RulesError
├── ContentError        a content file is wrong: file:line:column, and what to do
├── FactError           a fact does not fit its declaration (a fault of the caller)
└── EngineError         the engine could not decide; nothing may be sent
    └── EngineDisagreement   the two evaluators name different rules
"""

from __future__ import annotations


class RulesError(Exception):
    """Base of all errors of this package. Messages never hold data of a patient."""


class ContentError(RulesError):
    """A content file is wrong. ``str()`` reads ``file:line:column: message [code]``.

    ``code`` is explained in docs/rule-errors.md ("" where it comes from outside the rules).
    """

    def __init__(self, message: str, file: str = "", line: int = 0, column: int = 0, code: str = "") -> None:
        self.message, self.file, self.line, self.column, self.code = message, file, line, column, code
        said = f"{message} [{code}]" if code else message
        super().__init__(f"{file}:{line}:{column}: {said}" if file else said)


class FactError(RulesError):
    """A fact has a name, a type or a value that its declaration does not allow."""


class EngineError(RulesError):
    """The engine could not complete an evaluation: never to be read as "no referral"."""


class EngineDisagreement(EngineError):
    """durable_rules and the tracer name different rules: an error that sends nothing."""

    def __init__(self, only_durable: frozenset[str], only_tracer: frozenset[str]) -> None:
        self.only_durable, self.only_tracer = only_durable, only_tracer
        super().__init__(
            f"the evaluators disagree: durable_rules alone {sorted(only_durable)}, tracer alone {sorted(only_tracer)}"
        )
