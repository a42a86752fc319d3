# SPDX-License-Identifier: MIT
"""``rig completion``: the script by which a shell completes ``rig``. ``candidates`` answers it."""

from __future__ import annotations

import click

from rig.cli import COMMANDS, main


@click.command(short_help=COMMANDS["completion"])
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands, options, boards, suites and runs in SHELL.

    Put the line of the example into ~/.bashrc, the same with zsh into ~/.zshrc. For fish, write what this
    prints to ~/.config/fish/completions/rig.fish.

    Example: eval "$(rig completion bash)"
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(main, {}, "rig", "_RIG_COMPLETE").source())
