"""What a wrong file gets: the kind of mistake by its code, the place, and nothing loaded. One line for each kind."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from rules import ContentError, load_pack, rule_test_results
from tests.unit.rules.tiny import PACK, SOURCES, rule, write

CRITERIA, FACTS, PARAMETERS, HOME = "criteria/a.yaml", "facts.yaml", "parameters.yaml", "providers/home.yaml"
STEPS, ASKS, TESTS = "second_stage.yaml", "asks.yaml", "tests/t.yaml"
GOOD = rule("{score: known}")


def with_more(file: str, lines: str) -> str:
    return dedent(PACK[file]).lstrip("\n") + lines


def then(act: str) -> str:
    return rule("{score: known}", then=f"[{act}]")


def step(text: str) -> str:
    return f"- id: s1\n  title: S\n  {SOURCES}\n  {text}\n"


NO_YAML = [
    ("RC002", CRITERIA, b"- caf\xe9\n", "1:1", "save it as UTF-8"),
    ("RC002", CRITERIA, GOOD.encode("utf-16"), "1:1", "save it as UTF-8"),
    ("RC003", CRITERIA, "- id: [", "2:1", "not valid YAML"),
    ("RC003", CRITERIA, "- id: r1\n\ttitle: T\n", "2:1", "a tab character"),
    ("RC003", CRITERIA, "- id: \0\n", "1:1", "a character that YAML does not allow"),
    ("RC003", CRITERIA, "- title: a: b\n", "1:11", "put text that holds ': ' in quotes"),
    ("RC004", CRITERIA, "- !!python/object/apply:os.system ['true']\n", "1:3", "write plain YAML"),
    ("RC004", CRITERIA, "- !!python/object:rules.Fact {}\n", "1:3", "write plain YAML"),
    ("RC005", CRITERIA, "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "3:5", "write it out"),
    ("RC005", CRITERIA, "a: *b\n", "1:4", "no anchor before it"),
    ("RC006", FACTS, "5: {label: A}\n", "1:1", "write '5' in quotes"),
    ("RC006", FACTS, "[a]: {label: A}\n", "1:1", "a key must be plain text"),
    ("RC007", FACTS, "a: {<<: {label: A}}\n", "1:5", "write the keys out"),
    ("RC008", PARAMETERS, with_more(PARAMETERS, "cut-off: {label: Again}\n"), "7:1", "given twice (first on line 1)"),
    ("RC008", CRITERIA, "- id: r1\n  id: r2\n", "2:3", "given twice"),
    ("RC009", CRITERIA, "- id: 007\n", "1:7", "write '007' in quotes"),
    ("RC009", CRITERIA, "- id: .inf\n", "1:7", "not allowed"),
    ("RC009", CRITERIA, "- id: 1e999\n", "1:7", "too large"),
    ("RC009", CRITERIA, f"- id: {'9' * 5000}\n", "1:7", "too large"),
    ("RC010", CRITERIA, GOOD + "---\n[]\n", "7:1", "remove the '---'"),
    ("RC017", CRITERIA, "[" * 5000 + "]" * 5000, "1:41", "nest deeper"),
]
NO_PACK_FILE = [
    ("RC011", CRITERIA, rule("{score: known}", more="colour: blue"), "7:3", "unknown key 'colour'"),
    ("RC011", CRITERIA, rule('{word: {matches: "^a.*"}}'), "5:17", "unknown key 'matches'"),  # a regular expression
    ("RC011", PARAMETERS, with_more(PARAMETERS, "x: {lable: X, values: []}\n"), "7:5", "unknown key 'lable'"),
    ("RC011", CRITERIA, GOOD.replace("sources", "source"), "4:3", "unknown key 'source'"),
    ("RC012", CRITERIA, GOOD.replace(f"  {SOURCES}\n", ""), "2:3", "'sources' is missing"),
    ("RC013", CRITERIA, "", "1:1", "a list is needed"),
    ("RC013", FACTS, "", "1:1", "a mapping is needed"),
    ("RC013", FACTS, "# nothing yet\n", "1:1", "a mapping is needed"),
    ("RC013", "pack.yaml", "hello\n", "1:1", "a mapping is needed"),
    ("RC013", CRITERIA, then("{task: {code: 5}}"), "6:18", "text is needed"),
    ("RC014", CRITERIA, then("{issue: {code: a, severity: bad, text: T}}"), "6:28", "error, warning, information"),
    ("RC014", CRITERIA, then("{refer: {service: team, priority: soon}}"), "6:34", "routine, urgent, asap, stat"),
    ("RC014", STEPS, step("do: [{hold: false}]"), "4:9", "else leave the key out"),
    ("RC015", FACTS, with_more(FACTS, "Score: {label: S, type: integer, from: {a: b}}\n"), "17:1", "cannot be a name"),
    ("RC015", CRITERIA, then("{flag: {code: Two Words}}"), "6:18", "does not have the form"),
    ("RC016", CRITERIA, then("{flag: {code: a}, task: {code: b}}"), "6:10", "exactly one thing"),
    ("RC016", CRITERIA, GOOD.replace("[{document: A document}]", "[]"), "4:3", "too short"),
]
NO_SENSE = [
    ("RC020", PARAMETERS, with_more(PARAMETERS, "x: {label: X, values: [{from: 2024-02-31, value: 1}]}\n"), "7:25", "2024-01-31"),
    ("RC020", CRITERIA, rule("{score: known}", more="valid: {from: 2025-01-01, to: 2024-01-01}"), "7:3", "ends before"),
    ("RC020", HOME, "provider: home\ntitle: H\nvalid: {to: 2023-02-29}\n", "3:9", "not a date"),
    ("RC021", CRITERIA, then("{refer: {service: nobody, priority: asap}}"), "6:19", "no service is called 'nobody'"),
    ("RC021", STEPS, step("do: [{move_to: nobody}]"), "4:9", "no service is called 'nobody'"),
    ("RC021", HOME, "provider: home\ntitle: H\noffers: [nobody]\n", "3:10", "no service is called 'nobody'"),
    ("RC027", "services.yaml", "gp: {label: G, fallback: ward}\nward: {label: W, task_only: true}\n", "1:1", "no referral is made to ward"),
    ("RC022", CRITERIA, rule("{scroe: {gte: 1}}"), "5:10", "no fact is called 'scroe'"),
    ("RC022", CRITERIA, then("{task: {code: a, for: [scroe]}}"), "6:33", "no fact is called 'scroe'"),
    ("RC023", CRITERIA, rule("{score: {gte: parameters.cutoff}}"), "5:18", "no parameter is called 'cutoff'"),
    ("RC023", HOME, "provider: home\ntitle: H\nparameters: {cutoff: 1}\n", "3:14", "no parameter is called 'cutoff'"),
    ("RC024", STEPS, step("rules: [r9]\n  do: [{start_now: true}]"), "4:11", "no rule is called 'r9'"),
    ("RC025", HOME, "provider: away\ntitle: H\n", "1:1", "that of its file: home"),
    ("RC026", CRITERIA, GOOD + GOOD, "8:3", "already in"),
    ("RC026", STEPS, step("do: [{start_now: true}]") * 2, "5:3", "given twice"),
    ("RC026", ASKS, f"- {{id: a, title: A, when: {{ill: present}}, task: t, {SOURCES}}}\n" * 2, "2:4", "given twice"),
    ("RC030", CRITERIA, rule("{score: known, item: known}"), "5:3", "join several with all or any"),
    ("RC031", CRITERIA, rule("{score: {contains: a}}"), "5:18", "which is of type integer"),
    ("RC031", CRITERIA, rule("{gestation: 5}"), "5:10", "{eq: 5}"),
    ("RC032", CRITERIA, rule('{score: {gte: "5"}}'), "5:18", "text cannot stand here: integer is needed"),
    ("RC032", CRITERIA, rule("{score: {gte: parameters.destination-moderate}}"), "5:18", "is text"),
    ("RC033", CRITERIA, rule("{ended_on: {days_after: {gte: 1}}}"), "5:21", "OTHER_DATE_FACT"),
    ("RC034", CRITERIA, rule("{score: {older: {older: known}}}"), "5:26", "'older' inside 'older'"),
    ("RC035", CRITERIA, rule("{ended_on: {within_months: -1}}"), "5:21", "never a negative one"),
    ("RC040", CRITERIA, rule("{score: known}", more="outside: {service: gp}"), "7:3", "needs a 'window'"),
    ("RC042", STEPS, step("do: [{hold: true}, {move_to: gp}]"), "1:3", "nothing would be left"),
    ("RC043", STEPS, step("do: [{fall_back: true}, {note: x}]"), "1:3", "about every referral"),
    ("RC043", STEPS, step("do: [{fall_back: true}, {note: x}]"), "1:3", "about every referral"),
    ("RC050", FACTS, with_more(FACTS, "a: {label: A, type: integer}\n"), "17:1", "either 'from' or 'derive'"),
    ("RC051", FACTS, with_more(FACTS, "a: {label: A, type: integer, range: [3, 1], from: {b: c}}\n"), "17:30", "lowest"),
    (
        "RC052",
        FACTS,
        with_more(FACTS, "a: {label: A, type: boolean, derive: {b: present}}\nb: {label: B, type: boolean, derive: {a: absent}}\n"),
        "17:1",
        "a → b → a",
    ),
    ("RC053", "services.yaml", "a: {label: A, fallback: gp}\ngp: {label: G, fallback: a}\n", "1:1", "in a circle"),
    ("RC054", "services.yaml", "team: {label: T}\n", "1:1", "'gp' is missing"),
    ("RC055", CRITERIA, "[]", "2:1", "the pack has no rules"),
    (
        "RC060",
        PARAMETERS,
        with_more(PARAMETERS, "x: {label: X, values: [{from: 2024-01-01, value: 1}, {from: 2023-01-01, value: 2}]}\n"),
        "7:15",
        "in the order of their dates",
    ),
    ("RC061", HOME, "provider: home\ntitle: H\nparameters: {cut-off: high}\n", "3:14", "a whole number, not text"),
    ("RC062", PARAMETERS, PACK[PARAMETERS].replace("2026-03-03", "2026-02-30"), "6:9", "list of dates"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "file", "data", "place", "words"), NO_YAML + NO_PACK_FILE + NO_SENSE)
def test_a_wrong_file_is_named_with_its_place_and_what_to_do(
    tmp_path: Path, code: str, file: str, data: str | bytes, place: str, words: str
):
    path = write(tmp_path) / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(ContentError) as caught:
        load_pack(tmp_path)
    wrong = caught.value
    assert (wrong.code, f"{wrong.line}:{wrong.column}") == (code, place), str(wrong)
    assert words in wrong.message
    assert str(wrong).endswith(f"[{code}]")
    assert wrong.file == str(path if code != "RC055" else tmp_path / "pack.yaml")


def test_what_could_mask_a_safety_rule_is_refused(tmp_path: Path):
    write(tmp_path, criteria=rule("{score: known}", more="safety: true"), steps=step("do: [{hold: true}]"))
    with pytest.raises(ContentError, match=r"second_stage.yaml:1:3: .*safety rule \(r1\).*\[RC041\]"):
        load_pack(tmp_path)


def test_a_folder_that_is_no_pack_is_said_to_be_none(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ContentError, match=r"no such file, so this folder is no pack: .* \[RC056\]"):
            load_pack(folder)


def test_a_folder_in_the_place_of_a_file_is_said(tmp_path: Path):
    (write(tmp_path) / FACTS).unlink()
    (tmp_path / FACTS).mkdir()
    with pytest.raises(ContentError, match=r"facts.yaml:1:1: the file cannot be read .*\[RC001\]"):
        load_pack(tmp_path)


@pytest.mark.parametrize("name", ["away", "../home/home", "a\0b"])
def test_an_unknown_provider_names_those_there_are(tmp_path: Path, name: str):
    with pytest.raises(ContentError, match=r"there are: home \[RC025\]"):
        load_pack(write(tmp_path), name)


def test_a_parameter_without_a_value_on_the_day_is_said_when_it_is_asked_for(tmp_path: Path):
    pack = load_pack(write(tmp_path))
    with pytest.raises(ContentError, match=r"has no value on .*\[RC063\]"):
        pack.evaluate({}, pack.parameters["cut-off"].values[0].start.replace(year=2019))


@pytest.mark.parametrize(
    ("code", "given", "words"),
    [
        ("RC022", "scroe: 1", "no fact is called 'scroe'"),
        ("RC080", "in_window: true", "give the facts that it is derived from"),
        ("RC080", "ended_on: 2026-02-31", "a date such as 2026-01-31"),
        ("RC080", "open_services: team", "a list of codes"),
        ("RC011", "score: {vlaue: 3}", "unknown key 'vlaue'"),
    ],
)
def test_a_wrong_test_beside_the_rules_is_named_too(tmp_path: Path, code: str, given: str, words: str):
    path = write(tmp_path) / TESTS
    path.parent.mkdir()
    path.write_text(
        f"- {{name: t, as_of: 2026-03-02, given: {{{given}}}, expect: {{no_tasks: [x]}}}}\n", encoding="utf-8"
    )
    with pytest.raises(ContentError, match=words) as caught:
        list(rule_test_results(tmp_path))
    assert (caught.value.code, caught.value.line, caught.value.file) == (code, 1, str(path))
