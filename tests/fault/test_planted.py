"""Faults planted into the scheduler and the ladder: the model test of the engine finds each of them."""

import os
import subprocess
from pathlib import Path

import pytest
from faults import LONG

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "src/engine"
TESTS = ROOT / "tests/engine"
SOURCES = ("scheduler", "lease", "ladder", "device")
CXX = os.environ.get("CXX", "c++").split() + [
    "-std=c++20", "-O1", "-w", "-DFMT_HEADER_ONLY", f"-I{ROOT / 'src'}", f"-I{TESTS}"]

# What is wrong, in which source, what stands there, and what stands there instead.
FAULTS = (
    ("the last rung is not climbed", "ladder", "if (!company) return {};", "return {};"),
    ("a dropped lease is not given back", "lease",
     "if (found != leased_.end()) try_next({end_lease(found).attempt});",
     "if (found != leased_.end()) end_lease(found);"),
    ("others begin beside a row in quarantine", "scheduler", "if (any_leased_beside(device, alone)) return",
     "if (false) return"),
    ("only a lack of memory is tried alone", "ladder", "if (!company) return {};",
     "if (!company || trouble == Trouble::other) return {};"),
    ("a lost device keeps its second lease", "lease", "quarantine_or_give_up(end_lease(here), loss, given_up);",
     "{ quarantine_or_give_up(end_lease(here), loss, given_up); break; }"),
    ("what a lost device held stays leased", "lease", "quarantine_or_give_up(end_lease(here), loss, given_up);",
     "quarantine_or_give_up(here->second, loss, given_up);"),
    ("losses count double", "lease", "++losses_[row];", "losses_[row] += 2;"),
    ("a device leaves although others may give back", "scheduler",
     "leased_.empty() ? Offer::Kind::leave : Offer::Kind::later", "Offer::Kind::leave"),
    ("quarantine does not wait for what is under way", "scheduler",
     "if (!attempt && !any_leased_beside(device, any))", "if (!attempt)"),
    ("room for results is lost", "scheduler", "finished_.pop_front();",
     "finished_.pop_front(); if (finished_.empty()) most_finished_ = 0;"),
    ("company is noted for the newcomer only", "scheduler", "lease.company = true;", ""),
    ("a device that prefetches is never given up", "scheduler",
     "if (record.state != DeviceState::computing) continue;",
     "if (record.state != DeviceState::computing || leases_of(device) > 1) continue;"),
)
PLANTED = FAULTS if LONG else FAULTS[:3]


def compile_all(pairs):
    """(source, object) of each, side by side."""
    running = [subprocess.Popen([*CXX, "-c", source, "-o", target]) for source, target in pairs]
    assert [process.wait() for process in running] == [0] * len(running)


def failures(program, objects):
    """How many seeds of the model test fail with these objects, at most ten."""
    subprocess.run([*CXX, *objects, "-o", program, "-lgtest_main", "-lgtest", "-lpthread"], check=True)
    environment = {key: value for key, value in os.environ.items() if key != "PLEAT_LONG"}
    done = subprocess.run([program, "--gtest_filter=ModelTest.*"], env=environment, stdout=subprocess.PIPE, text=True)
    wrong = int(done.stdout.rsplit(" runs, wrong ", 1)[1].split()[0])
    assert done.returncode == (1 if wrong else 0)
    return wrong


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    sources = [ENGINE / f"{name}.cc" for name in SOURCES] + [TESTS / "model_test.cc", TESTS / "simulation.cc"]
    made = {source.stem: folder / f"{source.stem}.o" for source in sources}
    compile_all([(source, made[source.stem]) for source in sources])
    assert failures(folder / "sound", made.values()) == 0
    return made


@pytest.mark.parametrize("what, name, there, instead", PLANTED, ids=[fault[0] for fault in PLANTED])
def test_the_model_finds(objects, tmp_path, what, name, there, instead):
    text = (ENGINE / f"{name}.cc").read_text()
    assert text.count(there) == 1, f"{what}: '{there}' does not stand once in {name}.cc"
    wrong_source = tmp_path / f"{name}.cc"
    wrong_source.write_text(text.replace(there, instead))
    planted = {**objects, name: tmp_path / f"{name}.o"}
    compile_all([(wrong_source, planted[name])])
    assert failures(tmp_path / "planted", planted.values()) > 0
