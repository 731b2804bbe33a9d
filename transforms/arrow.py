"""The Arrow schema of a record, derived from its fields: written once, read as Parquet by anyone."""

from __future__ import annotations

import msgspec
import pyarrow as pa
from msgspec import inspect

from schemas.qc import SCHEMA_VERSION

_PLAIN: dict[type[inspect.Type], pa.DataType] = {
    inspect.StrType: pa.string(),
    inspect.LiteralType: pa.string(),
    inspect.IntType: pa.int64(),
    inspect.FloatType: pa.float64(),
    inspect.BoolType: pa.bool_(),
}


def arrow_schema(record: type[msgspec.Struct]) -> pa.Schema:
    """The schema of a table of such records.

    >>> from schemas.qc import RejectedRow
    >>> arrow_schema(RejectedRow).field("row").type, arrow_schema(RejectedRow).field("text").nullable
    (DataType(int64), False)
    """
    found = inspect.type_info(record)
    assert isinstance(found, inspect.StructType)
    told = {"lathe_table": record.__name__, "lathe_schema_version": str(SCHEMA_VERSION)}
    return pa.schema([_field(field.encode_name, field.type) for field in found.fields], metadata=told)


def _field(name: str, kind: inspect.Type) -> pa.Field:
    if isinstance(kind, inspect.UnionType):
        (inner,) = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        return pa.field(name, _data_type(inner), nullable=True)
    return pa.field(name, _data_type(kind), nullable=False)


def _data_type(kind: inspect.Type) -> pa.DataType:
    if isinstance(kind, inspect.StructType):
        return pa.struct([_field(field.encode_name, field.type) for field in kind.fields])
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return pa.list_(_field("item", kind.item_type))
    return _PLAIN[type(kind)]
