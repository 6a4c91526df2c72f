"""The image in the real Apptainer, as an ordinary user: --contain --no-home, weights bound."""

import pytest
from engines import MODEL, fasta, proteins, real_proteins, run, write_job


@pytest.fixture
def folder(tmp_path):
    tmp_path.chmod(0o777)
    return tmp_path


def command(image, folder, *arguments, options=()):
    binds = ["--bind", folder, "--pwd", folder, "--bind", f"{MODEL}:/models/demo:ro"]
    return ["apptainer", "exec", "--contain", "--no-home", *binds, *options, image, *arguments]


def test_same_bits_as_an_ordinary_user(folder, apptainer_image, same_bits):
    write_job(folder, real_proteins(200), model="/models/demo", contacts="true")
    assert run(*command(apptainer_image, folder, "id", "-u")).stdout.strip() == "1000"
    run(*command(apptainer_image, folder, "pleat", "run", "manifest.yaml", "--progress", "none"))
    same_bits("Apptainer", folder / "results.h5")
    assert (folder / "results.h5").stat().st_uid == 1000


def test_doctor_and_its_own_test(apptainer_image, folder):
    assert "FAULT" not in run(*command(apptainer_image, folder, "pleat", "doctor")).stdout
    run("apptainer", "test", apptainer_image, cwd=folder)


def test_weights_that_are_not_bound(folder, apptainer_image):
    write_job(folder, fasta(proteins(3)), model="/models/other")
    done = run(*command(apptainer_image, folder, "pleat", "run", "manifest.yaml"), status=66)
    assert "/models/other" in done.stderr


def test_an_output_that_cannot_be_written(folder, apptainer_image):
    write_job(folder, fasta(proteins(3)), model="/models/demo")
    folder.chmod(0o755)  # of root, and the user is another
    done = run(*command(apptainer_image, folder, "pleat", "run", "manifest.yaml"), status=73)
    assert "Permission denied" in done.stderr
    assert not (folder / "results.h5").exists()
