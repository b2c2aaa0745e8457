"""Names of new components: the publisher's prefix, lengths, set names, and values of new options (section 3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy_dynamics.sandbox.ddl_body import invalid
from sqlalchemy_dynamics.sandbox.ddl_change import Draft
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused
from sqlalchemy_dynamics.sandbox.schema import Organisation

__all__ = ["Publisher", "publisher", "schema_name", "set_name"]

_NAME = re.compile(r"^([A-Za-z][A-Za-z0-9]{1,7})_[A-Za-z0-9_]+$")
_ENDINGS = (("y", "ies", 1), ("s", "es", 0), ("x", "es", 0), ("ch", "es", 0), ("sh", "es", 0))


@dataclass(frozen=True)
class Publisher:
    """Whose components a request makes. Without a solution in the request the prefix of any publisher will do."""

    prefix: str = "new"
    option_prefix: int = 10000
    prefixes: frozenset[str] = frozenset({"new"})

    @property
    def first_option(self) -> int:
        return self.option_prefix * 10000


def publisher(draft: Draft, named: str = "") -> Publisher:
    """Return the publisher of the solution a request names (header, query option or parameter)."""
    options = draft.request.options if draft.request else {}
    solution = draft.header("mscrm.solutionuniquename") or options.get("SolutionUniqueName", "") or named
    tables = draft.service.organisation.tables
    if not {"solution", "publisher"} <= tables.keys() or "customizationprefix" not in tables["publisher"].columns:
        return Publisher()
    draft.store.touch("solution", "publisher")
    known = draft.store.query("SELECT lower(customizationprefix) FROM publisher WHERE customizationprefix > ''")
    rows = draft.store.query(
        "SELECT p.customizationprefix, p.customizationoptionvalueprefix FROM solution s JOIN publisher p "
        "ON p.publisherid = s.publisherid WHERE fold(s.uniquename) = fold(?)",
        (solution or "Default",),
    )
    if not rows and solution:
        raise ODataError(404, "0x80040217", f"Solution with unique name '{solution}' does not exist.")
    prefix, options_from = rows[0] if rows else (None, None)
    own = str(prefix or "new")
    allowed = frozenset({own.lower()} if solution else {own.lower(), *(str(item[0]) for item in known)})
    return Publisher(own, int(str(options_from or 10000)), allowed)


def schema_name(draft: Draft, name: str, owner: Publisher, what: str = "SchemaName") -> str:
    """Return the name when the rules allow it; raises ODataError 400."""
    if not name:
        raise invalid(f"{what} is required.")
    if len(name) > draft.service.switches.schema_name_limit:
        raise invalid(f"{what} '{name}' is longer than {draft.service.switches.schema_name_limit} characters.")
    match = _NAME.match(name)
    if match is None or match[1].lower() not in owner.prefixes:
        raise Refused(draft.service.switches.prefix_mismatch, name=name, prefix=owner.prefix)
    return name


def set_name(organisation: Organisation, name: str) -> str:
    """Return the entity set name of a new table: its plural, with a number when that is taken."""
    plural = f"{name}s"
    for ending, replaced, cut in _ENDINGS:
        if name.endswith(ending):
            plural = f"{name[: len(name) - cut]}{replaced}"
            break
    taken = {table.set_name for table in organisation.tables.values()}
    number, found = 1, plural
    while found in taken:
        found, number = f"{plural}{number}", number + 1
    return found
