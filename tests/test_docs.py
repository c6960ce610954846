"""The documentation says what the code does: signatures, keys, defaults, errors, examples, commands and links."""

from __future__ import annotations

import ast
import configparser
import importlib
import inspect
import re
import shlex
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pluggy
import pytest
import yaml
from attrs import frozen

import kubo_sdk
from kubo_sdk import errors, events, hookspecs
from kubo_sdk.builtin import plugin as builtin
from kubo_sdk.cli.main import split
from kubo_sdk.cli.parser import EXIT_CODES, build_parser
from kubo_sdk.config.load import from_mapping, load
from kubo_sdk.config.structure import structure
from kubo_sdk.model.backup_spec import BackupSpec, KeepSpec, S3Spec
from kubo_sdk.model.preparation_spec import PackagesSpec, PreparationSpec, ProxySpec, RegistrySpec
from kubo_sdk.model.spec import (
    ClusterSpec,
    HealthSpec,
    InstanceGroup,
    KubernetesSpec,
    MeltdownSpec,
    NetworkSpec,
    VmSize,
)
from kubo_sdk.planning.problems import RUNGS, ProblemType
from kubo_sdk.planning.resolutions import Resolution
from kubo_sdk.ports.providers import ConnectContext, Provider
from kubo_sdk.releases.debian_images import BUSYBOX_IMAGE

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"), *ROOT.glob("plugins/*/*.md")]
# Pages whose blocks are the files of a project; tests/authors does what they say.
FOLLOWED = [ROOT / "docs" / "how-to" / "write-a-plugin.md"]
PORT_MODULES = ("access", "cluster_dns", "cpi", "credentials", "dns", "ingress", "node", "overlay", "shell")


@frozen
class Block:
    """One fenced block of a page."""

    language: str
    text: str


def blocks(page: Path, language: str) -> list[Block]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [Block(kind, text) for kind, text in found if kind == language]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def sections(page: Path) -> dict[str, str]:
    """The text below each heading, up to the next heading of any depth; blocks included, code in headings as it is."""
    parts = re.split(r"^#{1,4} (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def tables(text: str) -> Iterator[list[list[str]]]:
    """Every table of *text* as rows of cells, without its head."""
    for table in re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in table.strip().splitlines()]
        yield rows[2:]


def keyed(text: str) -> dict[str, list[str]]:
    """The rows of the only table of *text* by the code in their first cell."""
    (table,) = tables(text)
    return {row[0].strip("`"): row[1:] for row in table}


def signature(function: Any) -> str:
    """``name(arguments) -> result`` as the source has it, on one line and without self."""
    node = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function))).body[0]
    assert isinstance(node, ast.FunctionDef)
    node.args.args = [argument for argument in node.args.args if argument.arg not in {"self", "cls"}]
    result = "" if node.name == "__init__" else f" -> {ast.unparse(node.returns)}" if node.returns else ""
    name = "Cluster" if node.name == "__init__" else "Cluster.load" if node.name == "load" else node.name
    return squeezed(f"{name}({ast.unparse(node.args)}){result}")


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text).replace("'", '"')


def signatures_in(text: str) -> set[str]:
    """Everything that looks like a signature and opens a list item."""
    return {squeezed(found) for found in re.findall(r"^- `([^`]+)`", text, flags=re.MULTILINE)}


def public_methods(cls: type) -> list[Any]:
    return [f.__func__ if isinstance(f, classmethod) else f for n, f in vars(cls).items() if callable_of_ours(n, f)]


def callable_of_ours(name: str, member: Any) -> bool:
    return not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, classmethod))


HOOKS = {name: function for name, function in vars(hookspecs).items() if name.startswith("kubo_")}


def test_every_hook_has_a_heading_with_its_exact_signature() -> None:
    headings = {squeezed(title.strip("`")) for title in sections(REFERENCE / "hooks.md") if title.startswith("`kubo_")}
    assert headings == {signature(function) for function in HOOKS.values()}


@pytest.mark.parametrize("name", HOOKS)
def test_the_example_of_a_hook_is_an_implementation_that_loads(name: str) -> None:
    (text,) = (text for title, text in sections(REFERENCE / "hooks.md").items() if title.startswith(f"`{name}("))
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    module = ModuleType("example")
    exec(compile(code, f"the example of {name}", "exec"), vars(module))
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()
    assert [hook.function.__name__ for hook in getattr(manager.hook, name).get_hookimpls()] == [name]


def test_every_public_name_is_documented() -> None:
    headings = [title for title in sections(REFERENCE / "api.md") if title != "Python API"]
    assert sorted(headings) == sorted(kubo_sdk.__all__)


def test_every_method_of_a_cluster_is_documented_with_its_exact_signature() -> None:
    cluster = kubo_sdk.Cluster
    expected = {signature(function) for function in (cluster.__init__, *public_methods(cluster))}
    assert signatures_in(sections(REFERENCE / "api.md")["Cluster"]) == expected


def protocols() -> list[type]:
    modules = [importlib.import_module(f"kubo_sdk.ports.{name}") for name in PORT_MODULES]
    return [
        member
        for module in modules
        for member in vars(module).values()
        if inspect.isclass(member) and member.__module__ == module.__name__ and getattr(member, "_is_protocol", False)
    ]


@pytest.mark.parametrize("port", protocols(), ids=lambda port: port.__name__)
def test_every_method_of_a_port_is_documented_with_its_exact_signature(port: type) -> None:
    documented = signatures_in(sections(REFERENCE / "ports.md")[port.__name__])
    assert documented == {signature(function) for function in public_methods(port)}


@pytest.mark.parametrize("cls", [Provider, ConnectContext], ids=lambda cls: cls.__name__)
def test_every_field_of_a_provider_record_is_documented(cls: type) -> None:
    section = sections(REFERENCE / "ports.md")["Provider"]
    assert all(f"`{field.name}`" in section for field in attrs.fields(cls))


SPEC_SECTIONS = {
    "Top level": ClusterSpec,
    "kubernetes": KubernetesSpec,
    "network": NetworkSpec,
    "instance_groups": InstanceGroup,
    "vm": VmSize,
    "health": HealthSpec,
    "meltdown": MeltdownSpec,
    "backup": BackupSpec,
    "keep": KeepSpec,
    "s3": S3Spec,
    "preparation": PreparationSpec,
    "packages": PackagesSpec,
    "proxy": ProxySpec,
    "registries": RegistrySpec,
}


def keys(cls: type) -> set[str]:
    return {field.alias or field.name for field in attrs.fields(cls) if field.init}


@pytest.mark.parametrize("title", SPEC_SECTIONS)
def test_every_key_of_the_spec_is_documented_and_no_other(title: str) -> None:
    assert set(keyed(sections(REFERENCE / "spec.md")[title])) == keys(SPEC_SECTIONS[title])


def test_the_spec_with_everything_written_out_is_the_one_with_nothing() -> None:
    shortest, everything = (yaml.safe_load(block.text) for block in blocks(REFERENCE / "spec.md", "yaml")[:2])
    assert from_mapping(shortest) == from_mapping(everything)
    assert set(everything) == keys(ClusterSpec)
    assert set(everything["kubernetes"]) == keys(KubernetesSpec)
    assert set(everything["network"]) == keys(NetworkSpec)
    assert set(everything["health"]) == keys(HealthSpec)
    assert set(everything["health"]["meltdown"]) == keys(MeltdownSpec)


def release_options() -> dict[str, type]:
    names = ("upstream", "directory", "debian", "auto")
    modules = {name: importlib.import_module(f"kubo_sdk.releases.{name}") for name in names}
    return {name: getattr(module, f"{name.title()}Options") for name, module in modules.items()}


@pytest.mark.parametrize("source", release_options())
def test_every_option_of_a_release_source_is_documented(source: str) -> None:
    assert set(keyed(sections(REFERENCE / "spec.md")[f"source: {source}"])) == keys(release_options()[source])


def providers(module: ModuleType) -> list[tuple[str, Provider[Any]]]:
    """What the hooks of a plugin module offer, each with the key of the spec it is for."""
    hooks = [name for name in HOOKS if name.endswith("_providers") and hasattr(module, name)]
    return [(name[5:-10], provider) for name in hooks for provider in getattr(module, name)()]


@pytest.mark.parametrize(("port", "provider"), providers(builtin), ids=lambda each: getattr(each, "name", each))
def test_every_option_of_a_built_in_provider_is_documented(port: str, provider: Provider[Any]) -> None:
    section = sections(REFERENCE / "spec.md")[f"{port}: {provider.name}"]
    documented = set(keyed(section)) if "|" in section else set()
    assert documented == keys(provider.config)


def plugin_providers() -> Mapping[str, tuple[Path, Provider[Any]]]:
    found = {}
    for point in entry_points(group="kubo_sdk"):
        page = ROOT / "plugins" / f"kubo-sdk-{point.name}" / "README.md"
        for port, provider in providers(point.load()):
            found[f"{port}: {provider.name}"] = (page, provider)
    return found


@pytest.mark.parametrize("name", plugin_providers())
def test_every_option_of_a_plugin_is_in_its_readme(name: str) -> None:
    page, provider = plugin_providers()[name]
    text = page.read_text(encoding="utf-8")
    assert not [key for key in keys(provider.config) if f"`{key}`" not in text]


def subclasses(base: type) -> set[type]:
    return {base}.union(*(subclasses(each) for each in base.__subclasses__()))


def own_fields(cls: type) -> list[str]:
    """The fields a class has beyond those of its base."""
    inherited = {field.name for field in attrs.fields(cls.__base__)}
    return [field.name for field in attrs.fields(cls) if field.name not in inherited]


def test_every_event_is_documented_with_its_fields() -> None:
    rows = keyed((REFERENCE / "events.md").read_text(encoding="utf-8"))
    documented = {name: re.findall(r"`(\w+)`", cells[0]) for name, cells in rows.items()}
    assert documented == {cls.__name__: own_fields(cls) for cls in subclasses(events.Event) - {events.Event}}


def test_every_type_of_problem_is_documented_with_its_rungs() -> None:
    documented = keyed(sections(ROOT / "docs" / "how-to" / "run-the-monitor.md")["What it does about what"])
    assert set(documented) == set(ProblemType)
    for kind, (_, rungs) in documented.items():
        known = [str(rung) for rung in RUNGS.get(ProblemType(kind), ())]
        assert [name for name in re.findall(r"[a-z_]+", rungs.partition(";")[0]) if name in set(Resolution)] == known


def test_every_error_is_documented_with_its_exit_code() -> None:
    rows, _ = tables((REFERENCE / "errors.md").read_text(encoding="utf-8"))
    documented = {row[0].strip("`"): int(row[1]) for row in rows}
    assert documented == {
        cls.__name__: cls.exit_code for cls in subclasses(errors.KuboError) if "kubo_sdk.errors" in cls.__module__
    }


def test_the_exit_codes_of_the_command_are_documented() -> None:
    _, rows = tables((REFERENCE / "errors.md").read_text(encoding="utf-8"))
    assert {int(row[0]): row[1] for row in rows} == dict(EXIT_CODES)


def examples() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in ROOT.glob("examples/**/*.py")]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in FOLLOWED], ids=lambda page: str(page.relative_to(ROOT))
)
def test_python_on_a_page_runs_or_is_an_example_that_does(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks of one page are one program; examples/ is run by the tests with real clusters."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page, "python"):
        if block.text not in examples():
            exec(compile(block.text, str(page), "exec"), namespace)


def known_providers() -> dict[str, Provider[Any]]:
    """Every provider there is, by ``port: name``."""
    modules = [builtin, *(point.load() for point in entry_points(group="kubo_sdk"))]
    return {f"{port}: {provider.name}": provider for module in modules for port, provider in providers(module)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_yaml_on_a_page_is_a_spec_or_a_part_of_one(page: Path) -> None:
    """The examples of a third party's provider on the pages about plugins have options nobody here can check."""
    whole = {"name": "demo", "kubernetes": {"version": "1.20.2"}}
    for block in blocks(page, "yaml"):
        spec = from_mapping({**whole, **yaml.safe_load(block.text)})
        for port in ("cpi", "credential_store", "dns", "overlay", "ingress", "cluster_dns"):
            choice = getattr(spec, port)
            provider = known_providers().get(f"{port}: {choice.provider}")
            assert provider is None or structure(provider.config, choice.options, port)[1] == ()


def commands(page: Path) -> list[list[str]]:
    lines = [line for block in blocks(page, "console") for line in block.text.splitlines() if line.startswith("$ ")]
    return [shlex.split(line[2:].removeprefix("sudo ")) for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_on_a_page_exist(page: Path) -> None:
    for command in commands(page):
        if command[0] == "kubo":
            own, _ = split(command[1:])
            build_parser().parse_args(own)
        elif command[0].startswith("scripts/"):
            assert (ROOT / command[0]).stat().st_mode & 0o111


def test_what_the_readme_tells_to_run_is_what_ci_runs() -> None:
    assert ["scripts/test"] in commands(ROOT / "README.md")
    assert ["scripts/demo"] in commands(ROOT / "README.md")
    last = (ROOT / ".ci" / "run").read_text(encoding="utf-8").strip().splitlines()[-1]
    assert last == 'exec "$(dirname "$0")/../scripts/test"'


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose(page))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_the_quickstart_loads_and_its_workload_uses_an_image_that_is_there() -> None:
    quickstart = ROOT / "examples" / "quickstart"
    spec = load(quickstart / "cluster.yml")
    assert spec.kubernetes.source.provider == "debian"
    deployment, service = yaml.safe_load_all((quickstart / "workload.yml").read_text(encoding="utf-8"))
    assert [each["image"] for each in deployment["spec"]["template"]["spec"]["containers"]] == [BUSYBOX_IMAGE]
    first, last = spec.network.node_ports
    assert first <= service["spec"]["ports"][0]["nodePort"] <= last


def test_the_layers_on_the_page_are_the_layers_that_are_checked() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    checked = re.findall(r"\w+", contracts["importlinter:contract:layers"]["layers"])
    (table,) = tables(sections(ROOT / "ARCHITECTURE.md")["Layers"])
    documented = [name for row in table for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(documented) == sorted(name for name in checked if name != "__main__")


def test_every_tox_environment_is_on_the_page_for_contributors() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    environments = re.split(r",\s*", parser["tox"]["env_list"])
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert not [name for name in environments if f"`{name}`" not in page]
