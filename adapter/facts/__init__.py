"""FHIR records to facts: typed, dated, with the place of each in the record, and with what is not known.

    reader = compile_facts(pack, base)           # once
    result = reader.read(bundle, as_of)          # per record

The forms in which each fact arrives are those of the clinical specification; the declarations are the pack's.
"""

from adapter.facts.reader import FactReader, FactResult, ReadsFacts, compile_facts
from adapter.facts.site_codes import SiteCodes, load_site_codes

__all__ = ["FactReader", "FactResult", "ReadsFacts", "SiteCodes", "compile_facts", "load_site_codes"]
