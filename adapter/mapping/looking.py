"""The rows of one table, of many records at once, as a view looks at them: column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import repeat

from adapter.mapping.sight import Alike, Period, Places, View
from adapter.sources.csv_files import TableRow
from adapter.sources.model import Row

Ids = Mapping[str, Mapping[Row | None, str]]
"""Block → row → the id of the resource that is made of it, "" for none."""


class Rows:
    """The rows of one table of several records, in the order of the records; ``of`` is the number of each one's.

    No row belongs to two records.
    """

    def __init__(self) -> None:
        self.all: list[TableRow] = []
        self.of: list[int] = []
        self._texts: dict[str, list[str]] = {}

    @cached_property
    def _columns(self) -> list[tuple[str, ...]]:
        return list(zip(*[row.cells for row in self.all], strict=False))  # cells beyond the columns are empty

    def texts(self, key: str) -> list[str]:
        """The texts of a column, "" where there is none."""
        found = self._texts.get(key)
        if found is None:
            at = self.all[0].columns.get(key)
            texts = [""] * len(self.all) if at is None else list(map(str.strip, self._columns[at]))
            found = self._texts[key] = texts
        return found

    def filled(self) -> Sequence[Alike]:
        """What rows have in common in which the same columns are filled."""
        return together([is_filled(self.texts(key)) for key in self.all[0].columns], len(self.all))


class Look:
    """All rows of the table of a view; ``tables`` are the rows of each table."""

    def __init__(self, view: View, tables: Mapping[str, Rows]) -> None:
        self.view, self._own = view, tables[view.home]
        self.rows = self._own.all
        self._owners: dict[str, Sequence[TableRow | None]] = {view.home: self.rows}
        self._texts: dict[tuple[int, str], list[str]] = {}
        self._joined: dict[tuple[Places, str], list[str]] = {}
        self._looked: dict[int, list[Row | None]] = {}
        self._below = [_Below(below, self.rows, tables) for below in view.below if below.home in tables]

    def owners(self, name: str) -> Sequence[TableRow | None]:
        """The row of another table that each row belongs to."""
        found = self._owners.get(name)
        if found is None:
            found = self._owners[name] = [row.related(name) for row in self.rows]
        return found

    def texts(self, role: int, key: str) -> list[str]:
        """The texts of a field of the ``role``-th of the rows that each row belongs to, "" where there is none."""
        if role == 0:
            return self._own.texts(key)
        found = self._texts.get((role, key))
        if found is None:
            rows = self.owners(self.view.owners[role])
            found = self._texts[role, key] = [_text(row, key) for row in rows]
        return found

    def text(self, at: int, role: int, key: str) -> str:
        """The text of a field of the ``role``-th of all rows that are looked at for one row."""
        return _text(self.looked(at)[role], key)

    @cached_property
    def alike(self) -> list[Alike]:
        """What each row has in common with all that are seen alike."""
        found: list[bool | Sequence[Alike]] = []
        for role, columns in enumerate(self.view.columns):
            for key, texts in columns.items():
                read = self.texts(role, key)
                found.append(list(map(texts.__getitem__, read)) if texts.decide else is_filled(read))
        for places, between, joined in self.view.joins.values():
            read = self.joined(places, between)
            found.append(list(map(joined.__getitem__, read)))
        found += map(self._ends, self.view.periods)
        found += [below.alike for below in self._below]
        return together(found, len(self.rows))

    def _ends(self, period: Period) -> list[Alike]:
        """Rows with one end are alike; so are those whose two ends become a period as they are."""
        if not all(period.places):
            return [None] * len(self.rows)
        both = list(zip(*(self._several(side) for side in period.places), strict=True))
        found: list[Alike] = [ends if all(map(any, ends)) else None for ends in both]
        if period.ends is None or not any(found):
            return found
        starts, ends = (self.joined(slot.places, slot.between) for slot in period.ends)
        return [
            True if seen and period.alike(start, end) else seen
            for seen, start, end in zip(found, starts, ends, strict=True)
        ]

    def _several(self, places: Places) -> list[tuple[str, ...]]:
        """The texts of several fields."""
        return list(zip(*(self.texts(role, key) for role, key in places), strict=True))

    def joined(self, places: Places, between: str) -> list[str]:
        """The texts of some fields, joined where they are there."""
        if len(places) == 1:
            return self.texts(*places[0])
        found = self._joined.get((places, between))
        if found is None:
            found = self._joined[places, between] = [
                between.join(filter(None, texts)) for texts in self._several(places)
            ]
        return found

    def links(self, ids: Ids) -> list[list[str]]:
        """The ids of the resources that the targets of all views are for each row, target by target.

        Those of the rows below differ in number from row to row: rows that are seen alike have equally many.
        """
        found = []
        for targets in self.view.targets.values():
            led: list[str] = []
            for block, for_each in targets:
                if block in ids:
                    own = list(map(ids[block].get, self.owners(for_each), repeat("")))
                    led = [one or other for one, other in zip(led, own, strict=True)] if led else own
            found.append(led or [""] * len(self.rows))
        return found

    def links_below(self, ids: Ids) -> list[list[str]] | None:
        """Those of the rows below each row; None where the view takes none."""
        if not self._below:
            return None
        each: list[list[str]] = [[] for _ in self.rows]
        for below in self._below:
            columns = below.look.links(ids)
            deeper = below.look.links_below(ids)
            for links, under in zip(each, below.under, strict=True):
                for at in under:
                    links += [column[at] for column in columns]
                    links += deeper[at] if deeper is not None else []
        return each

    def looked(self, at: int) -> list[Row | None]:
        """The rows that are looked at for one row."""
        found = self._looked.get(at)
        if found is None:
            found = self._looked[at] = [column[at] for column in self._roles]
            for below in self._below:
                for under in below.under[at]:
                    found += below.look.looked(under)
        return found

    @cached_property
    def _roles(self) -> list[Sequence[TableRow | None]]:
        return [self.owners(owner) for owner in self.view.owners]

    def views(self, at: int) -> list[tuple[View, list[Row | None]]]:
        """The views that are taken of one row, each with the rows it looks at."""
        found: list[tuple[View, list[Row | None]]] = [(self.view, [column[at] for column in self._roles])]
        for below in self._below:
            for under in below.under[at]:
                found += below.look.views(under)
        return found


class _Below:
    """The rows of a table under those of another: their look, and which of them are ``under`` each row."""

    def __init__(self, view: View, above: Sequence[TableRow], tables: Mapping[str, Rows]) -> None:
        self.look = Look(view, tables)
        places = {row: at for at, row in enumerate(above)}
        self.under: list[list[int]] = [[] for _ in above]
        name = above[0].name if above else ""
        for at, parent in enumerate(self.look.owners(name)):
            if parent is not None:
                self.under[places[parent]].append(at)

    @property
    def alike(self) -> list[Alike]:
        seen = self.look.alike
        return [tuple([seen[at] for at in under]) for under in self.under]


def is_filled(texts: Sequence[str]) -> bool | Sequence[bool]:
    """Whether there is a text in each row; of a column that is filled everywhere or nowhere that alone."""
    if all(texts):
        return True
    return list(map(bool, texts)) if any(texts) else False


def together(columns: Sequence[bool | Sequence[Alike]], count: int) -> list[Alike]:
    """What each of so many rows has in common with others, of columns or of what is the same in all rows."""
    same = tuple([None if isinstance(column, Sequence) else column for column in columns])
    different = [column for column in columns if isinstance(column, Sequence)]
    return list(zip(repeat(same), *different, strict=False)) if different else [same] * count


def _text(row: Row | None, key: str) -> str:
    return (row.get(key) or "") if row is not None else ""
