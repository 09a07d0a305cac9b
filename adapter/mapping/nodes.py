"""What a mapping file says, parsed: the small tree that ``parse`` makes and ``compile`` turns into closures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.mapping.code_maps import CodeMap


@dataclass(frozen=True, slots=True)
class Field:
    """A source field. ``owner`` is its table or segment, "" for the row at hand; ``name`` as ``Row.get`` takes it.

    ``key`` is its one name in ``Row.texts``, where ``name`` may be one of several.
    """

    owner: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Test:
    """One condition on one field. ``values`` None and no map or shape: whether it is there at all."""

    field: Field
    values: frozenset[str] | None = None
    code_map: CodeMap | None = None
    shape: str = ""
    negate: bool = False


When = tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any
    when: When = ()


@dataclass(frozen=True, slots=True)
class From:
    field: Field
    type: str = "string"
    code_map: CodeMap | None = None
    default: Any = None
    when: When = ()


@dataclass(frozen=True, slots=True)
class Nothing:
    """What can never be filled (``prune`` makes it). ``dynamic``: it was a hole, and leaves its dict without one."""

    dynamic: bool


@dataclass(frozen=True, slots=True)
class First:
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Each:
    """One element per repetition of a field (``field.name`` set) or per row of a table or segment that belongs here."""

    field: Field
    do: Node


@dataclass(frozen=True, slots=True)
class ReferenceTo:
    target: str
    when: When = ()


@dataclass(frozen=True, slots=True)
class JoinText:
    fields: tuple[Field, ...]
    between: str
    type: str
    code_map: CodeMap | None = None
    when: When = ()


@dataclass(frozen=True, slots=True)
class Coded:
    """A code whose system is named by a scheme field (through a code map) or fixed, held against the code's shape."""

    field: Field
    scheme: Field | None
    schemes: CodeMap | None
    systems: tuple[str, ...]
    local: CodeMap | None
    when: When = ()


@dataclass(frozen=True, slots=True)
class Object:
    """A dict of the resource; it disappears when none of its holes, or not all that it ``requires``, are filled."""

    items: tuple[tuple[str, Node], ...]
    when: When = ()
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Array:
    items: tuple[Node, ...]


Node = Nothing | Literal | From | First | Each | ReferenceTo | JoinText | Coded | Object | Array


def conditions(node: Node) -> When:
    """Those that stand at the node itself."""
    return () if isinstance(node, Nothing | First | Each | Array) else node.when


@dataclass(frozen=True, slots=True)
class Block:
    """One resource: made once per row of ``for_each``, or once per record when that is ""."""

    resource: str
    name: str
    for_each: str
    body: Object
    id: tuple[Field | Node, ...] | None = None  # None: the row's place is its identity
    when: When = ()
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """An Issue said of each row of ``for_each`` on which ``when`` holds: what no resource can express."""

    text: str
    for_each: str
    field: Field
    detail: str
    when: When


@dataclass(frozen=True, slots=True)
class Join:
    """A row belongs to the row of ``to`` whose field ``key`` holds what its own field ``by`` does."""

    to: str
    by: str
    key: str


@dataclass(frozen=True, slots=True)
class Format:
    """How a vendor's file is written. ``encoding`` "": UTF-8, or else Windows-1252; no ``dates``: ISO 8601 or HL7."""

    delimiter: str = ","
    encoding: str = ""
    dates: tuple[str, ...] = ()  # patterns such as DD/MM/YYYY
    lists: Mapping[str, str] = field(default_factory=dict)  # column of several values → what stands between them


@dataclass(frozen=True, slots=True)
class Lookup:
    """A table of no patient (teams, wards): its row with this key ``by`` is related to the rows that name it.

    ``of`` says of each table which of its columns does.
    """

    by: str
    of: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tables:
    """How rows are grouped: one record per row of ``patient``; others reach it through ``joins``, or else ``keys``.

    In a vendor's own export all rows with the same ``key`` are one patient's, who must be the ``same`` in these fields.
    """

    patient: str
    key: str
    within: str = ""  # the field that says whose local key it is
    joins: Mapping[str, Join] = field(default_factory=dict)
    header: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)  # column → table, for tables that have no join
    same: tuple[str, ...] = ()
    rows: Mapping[str, str] = field(default_factory=dict)  # JSON: name of a kind of object → its path
    format: Format = field(default_factory=Format)
    lookups: Mapping[str, Lookup] = field(default_factory=dict)

    @property
    def known(self) -> frozenset[str]:
        header = [self.header] if self.header else []
        return frozenset((self.patient, *self.joins, *self.lookups, *header, *self.rows, *self.format.lists))


@dataclass(frozen=True, slots=True)
class Program:
    """A whole mapping, parsed and checked."""

    name: str
    version: str
    source: str
    title: str
    blocks: tuple[Block, ...]
    ignored: Mapping[str, str]  # field, table or segment → the reason
    tables: Tables | None = None
    undecided: tuple[str, ...] = ()  # fields of a draft, neither mapped nor ignored yet
    remarks: tuple[Remark, ...] = ()
