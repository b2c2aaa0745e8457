"""Labels: texts by language code to the JSON of a ``Label`` and back (section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy_dynamics.sandbox.failures import ODataError, bad_request
from sqlalchemy_dynamics.sandbox.schema import metadata_id

__all__ = ["Texts", "label", "managed_property", "read_label", "texts"]

Texts = dict[int, str]
"""Texts by language code (LCID)."""


def texts(base: str, others: Mapping[int, str], language: int) -> Texts:
    """Return the texts of a component: `base` in the organisation's language, the other languages as they are."""
    own = {language: base} if base else {}
    return {**own, **{code: text for code, text in others.items() if code != language}}


def label(found: Mapping[int, str], language: int, managed: bool, *ident: str) -> dict[str, object]:
    """Return the JSON of a Label; `ident` names what it belongs to, so that its MetadataId stays the same."""
    localized = [
        {
            "Label": text,
            "LanguageCode": code,
            "IsManaged": managed,
            "MetadataId": metadata_id("label", *ident, str(code)),
            "HasChanged": None,
        }
        for code, text in sorted(found.items(), key=lambda item: (item[0] != language, item[0]))
    ]
    return {"LocalizedLabels": localized, "UserLocalizedLabel": localized[0] if localized else None}


def read_label(value: object) -> Texts:
    """Return the texts of a Label in a request body; raises ODataError 400 when it is none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _no_label()
    listed, user = value.get("LocalizedLabels") or [], value.get("UserLocalizedLabel")
    if not isinstance(listed, list):
        raise _no_label()
    found: Texts = {}
    for item in [*listed, user]:
        code, text = _localized(item)
        if text is not None:
            found.setdefault(code, text)
    return found


def _localized(item: object) -> tuple[int, str | None]:
    if item is None:
        return 0, None
    code, text = (item.get("LanguageCode"), item.get("Label")) if isinstance(item, dict) else (None, None)
    if isinstance(code, bool) or not isinstance(code, int) or not isinstance(text, str | None):
        raise _no_label()
    return code, text


def _no_label() -> ODataError:
    return bad_request("A Label must be an object whose LocalizedLabels have Label and LanguageCode.", "0x80048d19")


def managed_property(value: object, changeable: bool, name: str) -> dict[str, object]:
    """Return the JSON of a managed property."""
    return {"Value": value, "CanBeChanged": changeable, "ManagedPropertyLogicalName": name}
