"""The package itself: import time, hints, documentation, Ctrl-C."""

import ast
import importlib
import inspect
import os
import pkgutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import accrue
from accrue import _native

FOLDER = Path(accrue.__file__).parent


def test_it_is_imported_in_less_than_a_second():
    """Of a processor: on one that does other work too, the clock says more."""
    program = "import time; t = time.process_time(); import accrue, sys; print(time.process_time() - t, 'torch' in sys.modules)"
    told = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(3)
    ]
    assert min(float(seconds) for seconds, _ in told) < 1.0
    assert told[0][1] == "False", "torch is not imported unless it is used"


def stub():
    return ast.parse((FOLDER / "_native.pyi").read_text())


def parameters(function):
    arguments = function.args
    return [a.arg for a in arguments.posonlyargs + arguments.args if a.arg not in ("self", "cls")]


def test_stubs_have_the_names_and_parameters_of_the_native_part():
    public = {name for name in dir(_native) if not name.startswith("__")}
    hinted = {n.name for n in stub().body if isinstance(n, (ast.FunctionDef, ast.ClassDef))} | {"version"}
    assert hinted == public
    for node in stub().body:
        if isinstance(node, ast.FunctionDef):
            assert list(inspect.signature(getattr(_native, node.name)).parameters) == parameters(node), node.name
        elif isinstance(node, ast.ClassDef):
            made = getattr(_native, node.name)
            methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
            assert {n for n in dir(made) if not n.startswith("__")} == set(methods) - {"__new__"}
            for name, method in methods.items():
                if name == "__new__":
                    assert list(inspect.signature(made).parameters) == parameters(method)
                elif not any(isinstance(d, ast.Name) and d.id == "property" for d in method.decorator_list):
                    found = list(inspect.signature(getattr(made, name)).parameters)
                    assert [p for p in found if p != "self"] == parameters(method), name


def test_everything_public_has_hints_and_a_docstring():
    modules = [accrue, accrue.geometry, accrue.similarity, accrue.tasks]
    for module in modules:
        assert module.__doc__
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.ismodule(thing) or not callable(thing):
                continue
            assert thing.__doc__, f"{module.__name__}.{name}"
            functions = (
                [thing]
                if inspect.isfunction(thing)
                else [f for n, f in vars(thing).items() if inspect.isfunction(f) and not n.startswith("_")]
            )
            for function in functions:
                assert function.__doc__, f"{module.__name__}.{name}.{function.__name__}"
                hinted = set(function.__annotations__)
                wanted = set(inspect.signature(function).parameters) - {"self", "cls"} | {"return"}
                assert wanted <= hinted, f"{module.__name__}.{name}.{function.__name__}: {wanted - hinted}"
    assert (FOLDER / "py.typed").exists()


def test_hints_pass_a_checker():
    pytest.importorskip("mypy")
    source = Path(__file__).parents[2] / "pipeline" / "python"
    words = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--no-incremental", "accrue"]
    told = subprocess.run(words, cwd=source, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout


def test_every_module_can_be_imported_alone():
    for module in pkgutil.iter_modules([str(FOLDER)]):
        importlib.import_module(f"accrue.{module.name}")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_stops_native_work_and_python_goes_on():
    program = """
import numpy, accrue, signal
w = numpy.random.default_rng(0).standard_normal((200, 200)) * 3 / 200 ** .5
print("ready", flush=True)
try:
    accrue.find_fixed_points(accrue.Network("vanilla", w), numpy.random.default_rng(1).uniform(-1, 1, (200000, 200)))
except KeyboardInterrupt:
    print("stopped", len(accrue.find_fixed_points(lambda h: numpy.tanh(2 * h), [[.5]])), flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "ready"
    time.sleep(1.0)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=60)
    assert told.strip() == "stopped 1" and process.returncode == 0
    assert time.monotonic() - begin < 20
