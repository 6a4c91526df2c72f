"""Fixtures for the tests that run the program."""

import pytest
from job import Job


@pytest.fixture
def job(tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    return Job(folder)
