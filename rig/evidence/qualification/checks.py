# SPDX-License-Identifier: MIT
"""What the rig checks itself: FreeRTOSVersion, FreeRTOSIntegrity. Pure; what is not known is never a PASS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rig.evidence.measurement import Outcome
from rig.evidence.qualification.profile import INTEGRITY_ID, VERSION_ID
from rig.evidence.qualification.releases import Release, Version, same_version
from rig.evidence.qualification.tree import Tree

KERNEL: Final = "FreeRTOS-Kernel"
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Check:
    """What came of a check; ``outcome`` None: it could not be made, and ``said`` tells what is lacking."""

    id: str
    outcome: Outcome | None
    said: str


def check_version(
    kernels: Mapping[str, str | None], named: str | None, release: Release | None, tree: Tree | None = None
) -> Check:
    """Whether the boards run the kernel of a release; ``kernels``: what each unit said of itself.

    With a ``tree``: also whether its manifest is of that release, and names the kernel that the boards run.
    """
    if named is None:
        return Check(VERSION_ID, None, "the profile names no release")
    if release is None or not release.kernels:
        return Check(VERSION_ID, None, f"which kernel belongs to {named} is not known")
    if not kernels:
        return Check(VERSION_ID, None, "no board said which kernel it runs")
    silent = [unit for unit, kernel in kernels.items() if not kernel]
    if silent:
        return Check(VERSION_ID, None, f"{', '.join(silent)} did not say which kernel it runs")
    faults = [
        fault for unit, kernel in kernels.items() if (fault := _kernel_fault(unit, kernel or "", release))
    ]
    faults += [] if tree is None else list(_tree_faults(tree, release, {k for k in kernels.values() if k}))
    if faults:
        return Check(VERSION_ID, Outcome.FAIL, "; ".join(faults))
    seen = ", ".join(sorted({kernel for kernel in kernels.values() if kernel}))
    said = f"kernel {seen} is of {release.name}"
    return Check(VERSION_ID, Outcome.PASS, said + (f"; manifest {tree.version}" if tree else ""))


def check_integrity(tree: Tree | None, seen: Mapping[str, str], listed: Mapping[str, str] | None) -> Check:
    """Whether the files of a tree are those of a list of hashes: none altered, added or missing."""
    if tree is None:
        return Check(INTEGRITY_ID, None, "no tree of libraries was given (--tree)")
    if listed is None:
        return Check(
            INTEGRITY_ID, None, f"no list of hashes was given for {tree.name} {tree.version} (--hashes)"
        )
    covered = tuple(f"{library.folder}/" for library in tree.libraries)
    wanted = {name: sha256 for name, sha256 in listed.items() if name.startswith(covered)}
    bare = [x.name for x in tree.libraries if not any(name.startswith(f"{x.folder}/") for name in wanted)]
    altered = sorted(name for name in wanted.keys() & seen.keys() if wanted[name] != seen[name])
    faults = [
        _named("altered", altered),
        _named("missing", sorted(wanted.keys() - seen.keys())),
        _named("added", sorted(seen.keys() - wanted.keys())),
    ]
    faults += [f"the list has nothing of {', '.join(bare)}"] if bare else []
    if any(faults):
        return Check(INTEGRITY_ID, Outcome.FAIL, "; ".join(fault for fault in faults if fault))
    if not seen:
        return Check(
            INTEGRITY_ID, None, f"the manifest of {tree.name} {tree.version} names no library with files"
        )
    said = (
        f"{len(seen):,} files of {len(tree.libraries)} libraries of {tree.name} {tree.version} are as listed"
    )
    return Check(INTEGRITY_ID, Outcome.PASS, said)


def _kernel_fault(unit: str, kernel: str, release: Release) -> str:
    version = Version.of(kernel)
    if version is None:
        return f"{unit} runs '{kernel}', which is no version of a kernel"
    if version.development:
        return f"{unit} runs {kernel}: development after a release, which is none"
    if not same_version(kernel, release.kernels):
        return f"{unit} runs {kernel}; {release.name} has {', '.join(release.kernels)}"
    return ""


def _tree_faults(tree: Tree, release: Release, kernels: set[str]) -> Iterator[str]:
    if not release.holds(tree.version):
        yield f"the manifest is of {tree.version}, not of {release.name}"
    kernel = tree.library(KERNEL)
    if kernel is not None and not all(same_version(one, (kernel.version,)) for one in kernels):
        yield f"the manifest has kernel {kernel.version}, the boards run {', '.join(sorted(kernels))}"
    for library in tree.libraries:
        known = release.libraries.get(library.name)
        if known is not None and not same_version(library.version, known):
            yield f"{library.name} {library.version} is not of {release.name}, which has {', '.join(known)}"


def _named(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{what}: {', '.join(names[:_SHOWN])}{more}"
