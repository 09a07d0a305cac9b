"""What a rule turned on, in sentences and as data. It is never advice to alter a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from adapter.referrals.explained import Explained
from adapter.referrals.phrases import listed
from adapter.referrals.routing import EITHER, GP_REGISTRATION, RESIDENCE
from adapter.referrals.words import value
from rules import Fact, State, Status

if TYPE_CHECKING:
    from rules.whatif import Change, Setting, Turning, Unknown

_VERBS: Mapping[str, str] = {
    "stop": "It would not be met with",
    "fire": "It would be met with",
    "settle": "It would certainly not be met with",
}
_NOTHING: Mapping[str, str] = {
    "stop": "make it not be met",
    "fire": "make it be met",
    "settle": "make it certain that it is not met",
}
_DECIDES: Mapping[str, str] = {
    GP_REGISTRATION: "a GP practice",
    RESIDENCE: "an address",
    EITHER: "a GP practice or an address",
}
_SCALES = ("integer", "number", "days", "date")
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def would_change(told: Explained, rule: str) -> list[str]:
    """The sentences of one rule, the smallest change first."""
    return [sentence for turning in told.turned[rule] for sentence in _sentences(told, turning)]


def _sentences(told: Explained, turning: Turning) -> Iterator[str]:
    if not turning.changes:
        then = f"send her to {_services(told, turning)}" if turning.goal == "go" else _NOTHING[turning.goal]
        yield f"No change of up to {_count(turning.most_facts)} facts would {then}."
        return
    for number, change in enumerate(turning.changes):
        yield f"{'Or with' if number else _opening(told, turning)} {_change(told, turning, change)}."
    if turning.more:
        changes = "change" if turning.more == 1 else "changes"
        yield f"So would {_count(turning.more)} more {changes} of as few facts."


def _opening(told: Explained, turning: Turning) -> str:
    if turning.goal == "cover":
        return f"It would go to {_services(told, turning)} with"
    if turning.goal != "go":
        return _VERBS[turning.goal]
    because = listed([told.steps.get(step, step) for step in turning.steps])
    held = f"{because}: it would go to" if because else "It would go to"
    return f"{held} {_services(told, turning)} with"


def _services(told: Explained, turning: Turning) -> str:
    return listed([told.phrases.to(key) for key in turning.services])


def _change(told: Explained, turning: Turning, change: Change) -> str:
    settings = [told.phrases.instead(setting) for setting in change.settings]
    if turning.goal == "cover":
        covers = "it covers" if len(turning.services) == 1 else "they cover"
        settings.insert(0, f"{_DECIDES[told.catchment]} that {covers}")
    joined = f"{'; and '.join(settings)}{', together' if len(settings) > 1 else ''}"
    return joined + "".join(f"; {note}" for note in _notes(told, turning, change))


def _notes(told: Explained, turning: Turning, change: Change) -> Iterator[str]:
    """What else would be so."""
    if turning.goal == "fire" and change.status is Status.SUPPRESSED:
        yield "what it refers would then be held back"
    if turning.goal in ("stop", "settle") and change.status is Status.SUPPRESSED:
        goes = f"go to {listed([told.phrases.to(key) for key in change.goes])}" if change.goes else "be held back"
        yield f"it would then be outside its window, and {goes}"
    for rules, verb in (
        (change.fires, "be met as well" if turning.goal != "stop" else "be met"),
        (change.stops, "no longer be met"),
    ):
        if rules:
            yield f"then {listed([f'“{told.title(name)}”' for name in rules])} would {verb}"


def is_near(told: Explained, rule: str) -> bool:
    """Whether a rule that did not fire was near: one number or date on record, a little otherwise, would have met it.

    A score of 0 is near nothing, and neither is a rule in whose place another one fired.
    """
    for turning in told.turned[rule]:
        if turning.goal == "fire" and turning.changes:
            setting, *others = turning.changes[0].settings
            moved = setting.was.state is State.KNOWN and told.facts[setting.fact].type in _SCALES
            return moved and not others and setting.was.value != 0 and not turning.changes[0].stops
    return False


def turned_json(told: Explained, rule: str) -> list[dict[str, Any]]:
    """The same as data: one object for each goal, with its changes."""
    return [
        {
            "goal": turning.goal.value,
            "changes": [_change_json(told, change) for change in turning.changes],
            "more": turning.more,
            "most_facts": turning.most_facts,
            "steps": list(turning.steps),
            "services": list(turning.services),
            "says": list(_sentences(told, turning)),
        }
        for turning in told.turned[rule]
    ]


def _change_json(told: Explained, change: Change) -> dict[str, Any]:
    return {
        "facts": [_setting_json(told, setting) for setting in change.settings],
        "follows": [setting.fact for setting in change.follows],
        "status": change.status.value,
        "fires": list(change.fires),
        "stops": list(change.stops),
    }


def _setting_json(told: Explained, setting: Setting) -> dict[str, Any]:
    return {
        "fact": setting.fact,
        "label": told.facts[setting.fact].label,
        "was": _plain(setting.was),
        "now": _plain(setting.now),
        "says": told.phrases.instead(setting),
    }


def _plain(fact: Fact) -> str | None:
    return value(fact.value) if fact.state is State.KNOWN else None


# --- unknown facts --------------------------------------------------------------------------------------------------
def unknown_sentences(told: Explained) -> list[str]:
    """The missing facts in order of how much each would decide."""
    return [f"{place}. {_unknown(told, unknown)}" for place, unknown in enumerate(told.unknowns, 1)]


def _unknown(told: Explained, unknown: Unknown) -> str:
    name = told.phrases.name(unknown.fact)
    if not unknown.some:
        return f"{name}: alone it would decide nothing"
    sure = [rule for rule in unknown.some if rule in unknown.surely]
    maybe = [rule for rule in unknown.some if rule not in unknown.surely]
    parts = []
    if sure:
        parts.append(f"would decide {_titles(told, sure)} either way")
    if maybe:
        parts.append(f"could decide {_titles(told, maybe)}, depending on what it is")
    return f"{name}: {'; '.join(parts)}"


def _titles(told: Explained, rules: list[str]) -> str:
    return listed([f"“{told.title(rule)}”" for rule in rules])


def unknowns_json(told: Explained) -> list[dict[str, Any]]:
    """The missing facts of the whole decision, the most telling first; ``could_decide`` holds ``would_decide``."""
    return [
        {
            "fact": unknown.fact,
            "label": told.facts[unknown.fact].label,
            "would_decide": list(unknown.surely),
            "could_decide": list(unknown.some),
        }
        for unknown in told.unknowns
    ]


def _count(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
