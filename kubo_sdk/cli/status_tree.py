"""How a cluster's status looks to people: a tree on a terminal, aligned columns everywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from kubo_sdk.cli.output import columns
from kubo_sdk.model.status import ClusterStatus, InstanceStatus, SourceStatus

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

HEADERS = ("INSTANCE", "ROLE", "STATE", "ADDRESS", "AZ", "FACTS")
GOOD = "good"
STYLES = {GOOD: "green", "bad": "red", "unknown": "yellow"}
MARKS = {GOOD: "✓", "bad": "✗", "unknown": "?"}
# Facts younger than this are of now, as far as people are concerned.
FRESH_SECONDS = 2.0


def status_lines(status: ClusterStatus) -> Iterator[str]:
    """The status as plain text."""
    yield headline(status)
    yield status.verdict
    if status.instances:
        yield from columns([HEADERS, *map(row, status.instances)])


def headline(status: ClusterStatus) -> str:
    """Which cluster, and what holds for all of it."""
    parts = [status.cluster, f"Kubernetes {status.kubernetes}", status.endpoint]
    if status.etcd is not None:
        parts.append(f"etcd {status.etcd.healthy}/{status.etcd.members}")
    if status.expires is not None:
        parts.append(f"certificates until {status.expires.at:%Y-%m-%d}")
    return "  ".join(part for part in parts if part)


def row(instance: InstanceStatus) -> tuple[str, ...]:
    """The cells of one instance.  What the CPI says of it stands in a column of its own."""
    notes = notes_of(instance)
    facts = [*notes, *(f"{source}: {word}" for source, word in facts_of(instance))]
    return (instance.instance, instance.role, instance.state, instance.address, instance.az, ", ".join(facts))


def notes_of(instance: InstanceStatus) -> list[str]:
    """What people told the director about it."""
    return [note for note, holds in (("stopped", instance.stopped), ("paused", instance.paused)) if holds]


def facts_of(instance: InstanceStatus) -> list[tuple[str, str]]:
    """What is worth saying: of a healthy instance what its role does and the trouble its units tell, of any other
    everything that is not well.
    """
    if not instance.sources:
        return list(instance.facts.items())
    ill = [source for source in instance.sources if source.verdict != GOOD]
    troubled = [source for source in instance.sources[:-1] if source.word.startswith("active; ")]
    return [(source.source, told(source)) for source in ill or (*instance.sources[-1:], *troubled)]


def told(source: SourceStatus) -> str:
    """The word, and how old it is when that matters."""
    return source.word if source.age < FRESH_SECONDS else f"{source.word} ({source.age:.0f} s ago)"


def print_tree(status: ClusterStatus) -> None:
    """The status on a terminal: groups, their instances, and what is wrong with whom."""
    from rich.console import Console  # noqa: PLC0415 - only for terminals
    from rich.text import Text  # noqa: PLC0415
    from rich.tree import Tree  # noqa: PLC0415

    top = Text(headline(status), style="bold")
    top.append(f"\n{status.verdict}", style="green" if status.healthy else "red")
    tree = Tree(top, guide_style="dim")
    width = max((len(each.instance) for each in status.instances), default=0)
    for group, members in groupby(status.instances, key=lambda each: each.instance.partition("/")[0]):
        branch = tree.add(Text(group, style="bold"))
        for instance in members:
            _add_instance(branch, instance, width)
    Console().print(tree)


def _add_instance(branch: Tree, instance: InstanceStatus, width: int) -> None:
    from rich.text import Text  # noqa: PLC0415

    verdict = GOOD if instance.healthy else "bad" if _is_bad(instance) else "unknown"
    line = Text(f"{MARKS[verdict]} {instance.instance.ljust(width)}", style=STYLES[verdict])
    line.append(f"  {instance.address or '-':<15}  {instance.az}", style="dim")
    for note in notes_of(instance):
        line.append(f"  {note}", style="magenta")
    if instance.healthy:
        line.append(f"  {', '.join(word for _, word in facts_of(instance))}", style="default")
    node = branch.add(line)
    if not instance.healthy:
        for source in instance.sources:
            node.add(_source(source))


def _source(source: SourceStatus) -> Text:
    from rich.text import Text  # noqa: PLC0415

    return Text(f"{MARKS[source.verdict]} {source.source:<8} {told(source)}", style=STYLES[source.verdict])


def _is_bad(instance: InstanceStatus) -> bool:
    return any(source.verdict == "bad" for source in instance.sources)
