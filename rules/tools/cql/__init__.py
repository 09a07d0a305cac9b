"""The logic of a pack in the Clinical Quality Language, for other engines to run and for people to read."""

from rules.tools.cql.library import CqlLibrary, Definition, cited, cql_library, library_name
from rules.tools.cql.logic import Input

__all__ = ["CqlLibrary", "Definition", "Input", "cited", "cql_library", "library_name"]
