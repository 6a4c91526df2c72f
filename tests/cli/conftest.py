"""Fixtures for the tests that run the program."""

import pytest
from job import Job


def pytest_configure(config):
    config.addinivalue_line("markers", "memory: limits or measures the program's memory, to which a sanitizer adds its own")


@pytest.fixture
def job(tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    return Job(folder)
