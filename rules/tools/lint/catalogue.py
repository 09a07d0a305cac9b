"""The codes of what the linter finds: how grave it is, and what to do. docs/rule-errors.md explains each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    severity: str  # error or warning
    advice: str


_NOTHING = "leave it out, or correct what it is meant to say"
_TESTS = "write one beside the rule, from its source"

CATALOGUE: Mapping[str, Entry] = {
    "RL101": Entry("error", "correct the criteria that exclude each other"),
    "RL102": Entry("error", "say whom the rule is for: it would refer everybody"),
    "RL103": Entry("error", "correct its 'when', or take the outcome away"),
    "RL104": Entry("warning", "leave its 'when' out, or correct it"),
    "RL105": Entry("error", "correct its 'when', or take the ask away"),
    "RL106": Entry("error", "correct its 'when', 'rules' and 'services', or take the step away"),
    "RL107": Entry("error", "correct the criteria that exclude each other"),
    "RL108": Entry("warning", "correct it, or leave it out where it is used"),
    "RL109": Entry("warning", "take 'outside' away, or correct the window"),
    "RL201": Entry("warning", _NOTHING),
    "RL202": Entry("warning", _NOTHING),
    "RL203": Entry("warning", "write 'known', or correct the threshold"),
    "RL301": Entry("error", "move a threshold so that the bands meet, or say in lint.yaml why nothing is to happen"),
    "RL302": Entry("error", "move a threshold so that the bands meet, or say in lint.yaml why both are meant"),
    "RL303": Entry("error", "correct the threshold, or the range of the fact"),
    "RL304": Entry("error", "put the thresholds in order: the lower end must be below the upper"),
    "RL401": Entry("warning", "make one rule of the two, or correct one of them"),
    "RL402": Entry("warning", "take the narrower rule away, or let it do something else"),
    "RL403": Entry("error", "decide which is meant: only one of them can be done"),
    "RL501": Entry("warning", "name the document it comes from"),
    "RL502": Entry("error", "name the document that is to be confirmed"),
    "RL503": Entry("error", "renew the rule from its source, or take it away"),
    "RL504": Entry("error", "give a value from the first day on which the pack is used"),
    "RL505": Entry("error", "renew the policy, or give it a later end"),
    "RL506": Entry("error", "say under 'from' where it comes from"),
    "RL507": Entry("warning", "use it in a rule, or take it away"),
    "RL508": Entry("warning", "use it, or take it away"),
    "RL509": Entry("error", "write what a clinician would call it"),
    "RL510": Entry("warning", "correct the code, or give it words where the local codes are listed"),
    "RL601": Entry("error", "correct the code: one of its digits is wrong"),
    "RL602": Entry("warning", "take one of the rows away"),
    "RL603": Entry("error", "decide what the code means, and leave it in one of the two"),
    "RL604": Entry("warning", "use the list, or take it away"),
    "RL605": Entry("error", "write system, code and display in every row"),
    "RL701": Entry("warning", _TESTS),
    "RL702": Entry("warning", _TESTS),
    "RL703": Entry("warning", _TESTS),
    "RL801": Entry("warning", "take the exception away"),
}
