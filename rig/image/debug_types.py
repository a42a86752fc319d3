# SPDX-License-Identifier: MIT
"""Layouts of structures and places of variables, from the DWARF of the compilation units that define them.

Owns the reading of debug information entries; what the names mean is up to the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rig.image.elf import open_elf

if TYPE_CHECKING:
    from elftools.dwarf.compileunit import CompileUnit
    from elftools.dwarf.die import DIE

DW_OP_ADDR = 0x03


@dataclass(frozen=True, slots=True)
class Place:
    """Where something lies, in bytes: a member's offset in its structure, or a variable's address."""

    at: int
    size: int


@dataclass(frozen=True, slots=True)
class Struct:
    """A structure: its size and members."""

    size: int
    members: Mapping[str, Place]


@dataclass(slots=True)
class UnitTypes:
    """The structures, type names and variables of one compilation unit, by name."""

    structs: dict[str, Struct] = field(default_factory=dict)
    typedefs: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Place] = field(default_factory=dict)

    def struct(self, name: str) -> Struct | None:
        """The structure of that name, or that a type of that name stands for."""
        seen = set()
        while name not in self.structs and name in self.typedefs and name not in seen:
            seen.add(name)
            name = self.typedefs[name]
        return self.structs.get(name)


def read_units(path: Path, file_stem: str, variable: str | None = None) -> UnitTypes | None:
    """What the compilation unit of the source file ``<file_stem>.c`` defines; None when there is none.

    ``file_stem`` may end in ``*``. Of several such files (an application may well have a ``tasks.c``, too) it
    is the one that defines ``variable``, or else the first. Reads those units only, which costs about 0.1 s.
    Raises ImageFault.
    """
    first: UnitTypes | None = None
    with open_elf(path) as elf:
        if not elf.has_dwarf_info():
            return None
        for unit in elf.get_dwarf_info().iter_CUs():
            name = unit.get_top_DIE().attributes.get("DW_AT_name")
            if name and PurePosixPath(name.value.decode(errors="replace")).match(f"{file_stem}.c"):
                types = _unit_types(unit)
                if variable is None or variable in types.variables:
                    return types
                first = first or types
    return first


def _unit_types(unit: CompileUnit) -> UnitTypes:
    types = UnitTypes()
    for die in unit.get_top_DIE().iter_children():
        name = _name(die)
        if die.tag == "DW_TAG_structure_type" and name and "DW_AT_byte_size" in die.attributes:
            types.structs[name] = Struct(die.attributes["DW_AT_byte_size"].value, dict(_members(die)))
        elif die.tag == "DW_TAG_typedef" and "DW_AT_type" in die.attributes:
            types.typedefs[name] = _name(die.get_DIE_from_attribute("DW_AT_type"))
        elif die.tag == "DW_TAG_variable" and (address := _address(die)) is not None:
            types.variables[_name(_declared(die))] = Place(address, _size_of(_declared(die)))
    return types


def _members(struct: DIE) -> Iterator[tuple[str, Place]]:
    for die in struct.iter_children():
        if die.tag == "DW_TAG_member" and "DW_AT_data_member_location" in die.attributes:
            yield _name(die), Place(die.attributes["DW_AT_data_member_location"].value, _size_of(die))


def _address(variable: DIE) -> int | None:
    location = variable.attributes.get("DW_AT_location")
    if location is None or not isinstance(location.value, list) or location.value[:1] != [DW_OP_ADDR]:
        return None
    return int.from_bytes(bytes(location.value[1:5]), "little")


def _declared(die: DIE) -> DIE:
    return (
        die.get_DIE_from_attribute("DW_AT_specification") if "DW_AT_specification" in die.attributes else die
    )


def _size_of(die: DIE) -> int:
    """Bytes of the type of a member or variable; 0 where DWARF does not tell (an array of unknown length)."""
    count = 1
    while "DW_AT_type" in die.attributes:
        die = die.get_DIE_from_attribute("DW_AT_type")
        if "DW_AT_byte_size" in die.attributes:
            return count * int(die.attributes["DW_AT_byte_size"].value)
        if die.tag == "DW_TAG_array_type":
            count *= _element_count(die)
    return 0


def _element_count(array: DIE) -> int:
    count = 1
    for bound in array.iter_children():
        if "DW_AT_count" in bound.attributes:
            count *= bound.attributes["DW_AT_count"].value
        elif "DW_AT_upper_bound" in bound.attributes:
            count *= bound.attributes["DW_AT_upper_bound"].value + 1
        else:
            return 0
    return count


def _name(die: DIE) -> str:
    name = die.attributes.get("DW_AT_name")
    return name.value.decode(errors="replace") if name else ""
