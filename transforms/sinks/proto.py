"""The protocol-buffer schema of a CloudEvent that tells an alert, for Pub/Sub topics (which check JSON against it).

Pub/Sub knows Avro and protocol buffers. Avro's JSON writes optional values in a form of its own; that of protocol
buffers is the JSON that is sent, with null for what is not known.
"""

from __future__ import annotations

from typing import Any

import msgspec.inspect as look

from transforms.model import Alert

_ENVELOPE = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema")
_HEAD = '// Made from the records by deploy/schema/generate.py.\nsyntax = "proto3";\n\n'


def alert_proto() -> str:
    """Return the schema: one message, the CloudEvent, with all others inside it, as Pub/Sub asks for."""
    messages: dict[str, list[str]] = {}
    _collect(look.type_info(Alert), messages)
    messages["Alert"].append(f"int64 omitted = {len(messages['Alert']) + 1};")
    envelope = [f"string {name} = {number};" for number, name in enumerate(_ENVELOPE, start=1)]
    envelope.append(f"Alert data = {len(_ENVELOPE) + 1};")
    inner = [line for name in sorted(messages) for line in _message(name, messages[name])]
    body = "\n".join(f"  {line}".rstrip() for line in [*inner, *envelope])
    return f"{_HEAD}message AlertEvent {{\n{body}\n}}\n"


def _message(name: str, fields: list[str]) -> list[str]:
    return [f"message {name} {{", *(f"  {field}" for field in fields), "}", ""]


def _collect(kind: Any, messages: dict[str, list[str]]) -> str:
    """Return the name of the field type for `kind`, adding the messages that it needs."""
    if isinstance(kind, look.UnionType):
        return _collect(next(part for part in kind.types if not isinstance(part, look.NoneType)), messages)
    if isinstance(kind, look.VarTupleType | look.ListType):
        return f"repeated {_collect(kind.item_type, messages)}"
    if isinstance(kind, look.DataclassType):
        name = kind.cls.__name__
        if name not in messages:
            messages[name] = []
            messages[name] = [
                f"{_collect(field.type, messages)} {field.encode_name} = {number};"
                for number, field in enumerate(kind.fields, start=1)
            ]
        return name
    scalars = {look.IntType: "int64", look.FloatType: "double", look.BoolType: "bool"}
    return scalars.get(type(kind), "string")  # times, days and words of a fixed list are strings in JSON
