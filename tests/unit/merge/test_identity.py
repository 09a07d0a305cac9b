"""Who is one person: the NHS number, else the local identifier; and when the records stay apart."""

from __future__ import annotations

from itertools import permutations

import pytest

from adapter.errors import Malformed
from adapter.merge import merge_records
from adapter.merge.identity import Identity, persons
from adapter.records import Issue, MappedBundle, Resource
from tests.unit.merge.people import ANOTHER_NUMBER, epds, local, merged, nhs, patient, record, said

N1, N2 = frozenset({"9990000018"}), frozenset({"9990000026"})
L1, L2 = ("s", "RXX", "1"), ("s", "RXX", "2")
NONE: frozenset[str] = frozenset()


def apart(*who: list[Resource], **more: str) -> bool:
    records = [record(f"{n}.json", patient(identifier=ids, **more)) for n, ids in enumerate(who)]
    return len(merged(*records)) == len(who)


def test_one_nhs_number_is_one_person_however_it_is_written() -> None:
    spaced = {"system": "https://fhir.nhs.uk/id/nhs-number", "value": "999 000 0018"}
    assert not apart([nhs()], [spaced])


def test_an_nhs_number_with_a_wrong_check_digit_joins_nobody() -> None:
    assert apart([nhs("9990000019")], [nhs("9990000019")])


def test_a_local_identifier_joins_by_its_assigner() -> None:
    assert not apart([nhs(), local("L1")], [local("L1", "rxx")])
    assert apart([nhs(), local("L1")], [local("L1", "RYY")])
    assert apart([local("L1", "")], [local("L1", "")])


def test_a_system_of_its_own_needs_no_assigner() -> None:
    own = {"system": "https://trust.example/mrn", "value": "7"}
    assert not apart([own], [own])
    assert apart([{"value": "7"}], [{"value": "7"}])


@pytest.mark.parametrize("how", [{"use": "old"}, {"period": {"end": "2020-01-01"}}])
def test_an_identifier_that_is_no_longer_hers_joins_nobody(how: Resource) -> None:
    assert apart([local("L1")], [local("L1", **how)])


def test_an_assigner_in_an_entry_of_its_own_is_looked_up() -> None:
    code = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RXX"}
    trust = {"resourceType": "Organization", "id": "t", "identifier": [code]}
    referring = local("L1") | {"assigner": {"reference": "Organization/t"}}
    her = patient(identifier=[referring], managingOrganization={"reference": "Organization/t"})
    assert len(merged(record("a.json", her, trust), record("b.json", patient(identifier=[local("L1")])))) == 1


def test_a_name_and_a_birth_date_join_nobody() -> None:
    assert apart([nhs()], [local("L1")])


def test_another_nhs_number_keeps_one_hospital_number_apart_and_is_said() -> None:
    found = merged(
        record("a.json", patient(identifier=[nhs(), local("L1")])),
        record("b.json", patient(identifier=[nhs(ANOTHER_NUMBER), local("L1")])),
    )
    assert [len(said(one, "data-conflict")) for one in found] == [1, 1]
    assert all("confirm identity" in text for one in found for text in said(one, "data-conflict"))
    assert said(found[0], "data-conflict")[0].startswith("Bundle.entry[0].resource.identifier: ")


def test_a_hospital_number_of_two_nhs_numbers_joins_neither() -> None:
    found = merged(
        record("a.json", patient(identifier=[nhs(), local("L1")])),
        record("b.json", patient(identifier=[nhs(ANOTHER_NUMBER), local("L1")])),
        record("c.json", patient(identifier=[local("L1")])),
    )
    assert [bool(said(one, "data-conflict")) for one in found] == [True, True, True]


def test_one_hospital_number_with_another_birth_date_stays_apart() -> None:
    found = merged(
        record("a.json", patient(identifier=[nhs(), local("L1")])),
        record("b.json", patient(identifier=[local("L1")], birthDate="1971-01-01")),
    )
    assert [bool(said(one, "data-conflict")) for one in found] == [False, True]


def test_two_nhs_numbers_in_one_patient_join_nobody() -> None:
    found = merged(
        record("a.json", patient(identifier=[nhs(), nhs(ANOTHER_NUMBER)])),
        record("b.json", patient(identifier=[nhs()])),
    )
    assert [bool(said(one, "data-conflict")) for one in found] == [True, False]


@pytest.mark.parametrize(
    ("who", "groups"),
    [
        ([Identity(N1, NONE), Identity(N2, NONE), Identity(N1, NONE)], [{0, 2}, {1}]),  # type: ignore[arg-type]
        ([Identity(NONE, frozenset({L1})), Identity(NONE, frozenset({L1, L2})), Identity(NONE, frozenset({L2}))], [{0, 1, 2}]),
        ([Identity(N1, frozenset({L1})), Identity(NONE, frozenset({L1})), Identity(N2, frozenset({L1}))], [{0}, {1}, {2}]),
        ([Identity(NONE, frozenset()), Identity(NONE, frozenset())], [{0}, {1}]),
    ],
)  # fmt: skip
def test_the_order_does_not_matter(who: list[Identity], groups: list[set[int]]) -> None:
    for order in permutations(range(len(who))):
        found = persons([who[at] for at in order])
        assert sorted(sorted(order[at] for at in group) for group in found.groups) == sorted(map(sorted, groups))


def test_what_is_refused_passes_and_joins_nobody() -> None:
    error = Malformed(Issue("error", "structure", "cut off"))
    refused = MappedBundle("r.json", {"resourceType": "Bundle", "type": "collection"}, refused=True)
    first, second = record("a.json", patient()), record("b.json", patient(), epds(9))
    found = list(merge_records([first, error, refused, second]))
    assert [at for at, _ in found] == [0, 1, 2]
    assert found[1][1] is error
    assert found[2][1] is refused


def test_a_record_that_is_alone_is_the_very_same() -> None:
    only = record("a.json", patient())
    assert [one for _, one in merge_records([only])] == [only]
    assert next(iter(merge_records([only])))[1] is only
