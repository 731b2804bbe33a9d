"""The image has the versions that were tested, and a worker that starts in it compiles nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.pipeline.runs import album, environment

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "deploy" / "image"
DOCKERFILE = (IMAGE / "Dockerfile").read_text(encoding="utf-8")
SETUP = (ROOT / "setup.py").read_text(encoding="utf-8")
REQUIRED = SETUP.partition("install_requires")[2].partition("extras_require")[0]
ASKED = [Requirement(line) for line in re.findall(r'^        "([^"]+)",', REQUIRED, re.M)]
PINNED = [
    Requirement(line)
    for line in (IMAGE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
ALLOWED = [
    line.removeprefix("!")
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line[0] == "!"
]
CPU = re.search(r"NUMBA_CPU_NAME=(\S+)", DOCKERFILE)[1]
ADDED_IF_MET = {"llvmlite"}
"""Pinned beyond what setup.py asks for: it makes the code of the kernels."""


def test_every_requirement_is_pinned_to_a_version_that_setup_allows():
    pins = {one.name: next(iter(one.specifier)).version for one in PINNED}
    asked = {one.name: one for one in ASKED if one.marker is None or one.marker.evaluate({"python_version": "3.11"})}
    assert set(pins) - ADDED_IF_MET == set(asked)
    assert [name for name, one in asked.items() if not one.specifier.contains(pins[name])] == []


def test_the_image_takes_one_beam_and_one_python():
    (beam,) = [next(iter(one.specifier)).version for one in PINNED if one.name == "apache-beam"]
    python, tag = re.search(r"FROM apache/beam_python([\d.]+)_sdk:(\S+) AS beam", DOCKERFILE).groups()
    assert tag == beam
    assert set(re.findall(r"FROM python:([\d.]+)-slim", DOCKERFILE)) == {python}
    assert f"python{python.replace('.', '')}-template-launcher-base" in DOCKERFILE


def test_the_tag_of_the_image_is_the_version_of_lathe_wherever_it_is_named():
    version = re.search(r'version="([^"]+)"', SETUP)[1]
    named = [IMAGE / "Dockerfile", *sorted((ROOT / "deploy").glob("*/*.json")), ROOT / "docs" / "deploying.md"]
    named.append(ROOT / "deploy" / "kubernetes" / "kustomization.yaml")
    text = "".join(path.read_text(encoding="utf-8") for path in named)
    tags = re.findall(r"(?:lathe/lathe:|-t lathe:|templates/lathe-|newTag: )(\d+\.\d+\.\d+)", text)
    assert len(tags) == 6 and set(tags) == {version}


def test_the_image_is_given_all_that_is_installed_and_run_there():
    packages = re.search(r"packages=\[([^\]]*)\]", SETUP)[1]
    needed = {name.partition(".")[0] for name in re.findall(r'"([^"]+)"', packages)}
    needed |= {"lathe.py", "setup.py", "pyproject.toml", "LICENSE", "deploy"}
    assert needed == set(ALLOWED)
    run = re.findall(r"/opt/lathe/(deploy/\S+\.\w+)", DOCKERFILE)
    assert run and [path for path in run if not (ROOT / path).exists()] == []


def test_the_dockerfile_pleases_its_linter():
    if shutil.which("hadolint") is None:
        pytest.skip("hadolint is not on PATH")
    checked = subprocess.run(["hadolint", str(IMAGE / "Dockerfile")], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, "")


def compiled(cache):
    """Compiled code in a cache, by its name."""
    return {path.relative_to(cache).as_posix() for path in cache.rglob("*.nbc")}


def started(cache, *command, cpu=CPU):
    variables = environment(NUMBA_CACHE_DIR=str(cache), NUMBA_CPU_NAME=cpu)
    return subprocess.run([sys.executable, *command], env=variables, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_worker_compiles_nothing_where_the_cache_is_warm(tmp_path):
    cache = tmp_path / "cache"
    warmed = started(cache, str(IMAGE / "warm.py"))
    assert warmed.returncode == 0, warmed.stderr
    before = compiled(cache)
    manifest, _ = album(tmp_path / "sources", 2, seconds=8.0)
    lathe = str(Path(sys.executable).with_name("lathe"))
    ran = started(cache, lathe, "run", str(manifest), str(tmp_path / "output"))
    assert ran.returncode == 0, ran.stderr
    assert before and compiled(cache) == before


def test_a_cache_without_a_name_is_told():
    variables = {name: value for name, value in environment().items() if name != "NUMBA_CACHE_DIR"}
    ran = subprocess.run([sys.executable, str(IMAGE / "warm.py")], env=variables, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (1, "NUMBA_CACHE_DIR must name the folder of the cache\n")
