"""Whether today's code can read what yesterday's code wrote, judged by their schemas. Pure.

jsoncompat judges structure; patterns and formats, which it passes over, and the words for what is
broken are ours. The old schema is closed first: the writer wrote exactly those fields, so one that
it never wrote may be added, as long as it has a default.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import jsoncompat

Schema = dict[str, Any]

WORDING: Final = ("title", "description")


def breaking(old: Schema, new: Schema) -> list[str]:
    """Every way in which a reader of `new` refuses what a writer of `old` wrote; empty: none."""
    if _unworded(old) == _unworded(new):
        return []
    written, read = closed(old), _inlined(new, new, closed=False)
    found = list(dict.fromkeys(_breaks(written, read, "")))
    if not found and not _accepts(written, read):
        return ["the schema as a whole accepts less than before"]
    return found


def _unworded(part: Any) -> Any:
    """A schema without its titles and descriptions, which nothing is read by."""
    if isinstance(part, list):
        return [_unworded(item) for item in part]
    if not isinstance(part, dict):
        return part
    said = {"title", "description"}
    return {k: _unworded(v) for k, v in part.items() if k not in said or isinstance(v, dict)}


def closed(schema: Schema) -> Schema:
    """The schema of exactly what its writer wrote: no field but the named ones."""
    written: Schema = _inlined(schema, schema, closed=True)
    return written


def _breaks(old: Schema, new: Schema, at: str) -> Iterator[str]:
    """Breaks between two parts; `at` is the path to them."""
    if "anyOf" in old or "anyOf" in new:
        yield from _breaks_of_forms(old, new, at)
    elif _is(old, new, "object", "properties"):
        yield from _breaks_of_objects(old, new, at)
    elif _is(old, new, "array", "items"):
        yield from _breaks(old["items"], new["items"], f"{at}[]")
        if not _accepts({**old, "items": True}, {**new, "items": True}):
            yield f"{at}: was {_words(old)}, is {_words(new)}"
    else:
        yield from _breaks_of_values(old, new, at)


def _breaks_of_objects(old: Schema, new: Schema, at: str) -> Iterator[str]:
    written, read = old["properties"], new["properties"]
    for name in new.get("required", []):
        if name not in written:
            yield f"{at}.{name}: new and required, without a default"
        elif name not in old.get("required", []):
            yield f"{at}.{name}: was optional, is required"
    for name in written:
        if name in read:
            yield from _breaks(written[name], read[name], f"{at}.{name}")
        elif new.get("additionalProperties") is False:
            yield f"{at}.{name}: removed, and unknown fields are refused here"


def _breaks_of_forms(old: Schema, new: Schema, at: str) -> Iterator[str]:
    """Each form of the old part must be read by some form of the new one."""
    forms = new.get("anyOf", [new])
    for form in old.get("anyOf", [old]):
        found = [(list(_breaks(form, other, at)), other.get("type")) for other in forms]
        if all(breaks for breaks, _ in found):
            near = next((breaks for breaks, kind in found if kind == form.get("type")), None)
            yield from near or [f"{at}: {_words(form)} is not read any more"]


def _breaks_of_values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    values = old.get("enum", [old["const"]] if "const" in old else [])
    gone = [v for v in values if not _accepts({"const": v}, new)]
    if gone:
        yield f"{at}: {', '.join(map(repr, gone))} is not read any more"
    elif not _accepts(old, new):
        yield f"{at}: was {_words(old)}, is {_words(new)}"
    elif not values:
        for rule in ("pattern", "format"):
            if new.get(rule, old.get(rule)) != old.get(rule):
                yield f"{at}: {rule} was {old.get(rule)!r}, is {new[rule]!r}"


def _accepts(old: Schema, new: Schema) -> bool:
    role = jsoncompat.Role.DESERIALIZER
    return bool(jsoncompat.check_compat(json.dumps(old), json.dumps(new), role))


def _is(old: Schema, new: Schema, kind: str, keyword: str) -> bool:
    return all(part.get("type") == kind and keyword in part for part in (old, new))


def _inlined(part: Any, root: Schema, *, closed: bool) -> Any:
    """The schema without references and wording; `closed`: with nothing but its named fields."""
    match part:
        case {"$ref": str(reference)}:
            definition = root["$defs"][reference.removeprefix("#/$defs/")]
            return _inlined(definition, root, closed=closed)
        case {"properties": dict(properties)}:
            rest = {k: v for k, v in part.items() if k not in ("properties", "$defs", *WORDING)}
            inlined = {k: _inlined(v, root, closed=closed) for k, v in properties.items()}
            shut = {"additionalProperties": False} if closed else {}
            return {**shut, **rest, "properties": inlined}
        case {"discriminator": _, "oneOf": list(forms)}:  # each form names its kind: one fits
            rest = {k: v for k, v in part.items() if k not in ("discriminator", "oneOf")}
            return _inlined({**rest, "anyOf": forms}, root, closed=closed)
        case dict():
            rest = {k: v for k, v in part.items() if k not in ("$defs", *WORDING)}
            return {k: _inlined(v, root, closed=closed) for k, v in rest.items()}
        case list():
            return [_inlined(item, root, closed=closed) for item in part]
        case _:
            return part


def _words(part: Schema) -> str:
    return json.dumps(part, ensure_ascii=False, sort_keys=True)
