"""What an explanation says of where a fact comes from, down to values that stand in no field of the source."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from adapter.cli import app

FIXTURES = Path(__file__).parents[2] / "fixtures"


def test_a_pregnancy_that_a_booking_implies_is_placed_at_its_row() -> None:
    folder = FIXTURES / "01-epds-nine-item-ten-one" / "msds"
    said = CliRunner().invoke(app, ["explain", str(folder), "--as-of", "2026-03-02"]).stdout
    assert "Observation.valueCodeableConcept.coding[0].code at MSD101PregnancyBooking row 2\n" in said
    assert "/entry/" not in said
