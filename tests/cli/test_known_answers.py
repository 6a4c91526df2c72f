"""What a model is known to compute: `pleat model verify --compute`, `pleat doctor --model`, and what fetching offers."""

import json
import shutil

import pytest
from folding import GOLDEN as FOLDING_MODELS
from hub_fixtures import NAME, environment, fetch, hub, run, storage  # noqa: F401
from job import MODEL
from program import pleat

LANGUAGE_MODELS = MODEL.parent
MODELS = {"language model": LANGUAGE_MODELS / "head16", "folding model": FOLDING_MODELS / "ordinary"}


def verify(model, *arguments):
    return pleat("model", "verify", model, "--compute", "--devices", "cpu", *arguments)


def copy_of(model, folder, change):
    """The model with other answers."""
    shutil.copytree(model, folder)
    file = folder / "known_answers.json"
    answers = json.loads(file.read_text())
    change(answers["answers"][0])
    file.write_text(json.dumps(answers))
    return folder


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("precision", ["auto", "fp32", "bf16"])
def test_a_sound_model_gives_its_answers(model, precision):
    result = verify(MODELS[model], "--precision", precision)
    assert result.returncode == 0, result.stdout + result.stderr
    arithmetic = "bfloat16" if precision == "bf16" else "float32"
    assert f"computed in {arithmetic} on cpu" in result.stdout
    answers = json.loads((MODELS[model] / "known_answers.json").read_text())["answers"]
    assert result.stdout.count(": ok\n") == len(answers)
    assert answers[0]["source"] in result.stdout


@pytest.mark.parametrize("model", MODELS)
def test_another_answer_is_found_out(model, tmp_path):
    def change(answer):
        answer["values"][0][1] += 0.01

    result = verify(copy_of(MODELS[model], tmp_path / "model", change))
    assert result.returncode == 65
    assert "0.01" in result.stdout and "TOO FAR" in result.stdout


def test_other_weights_under_a_published_name_are_found_out(tmp_path):
    folder = tmp_path / NAME
    shutil.copytree(MODELS["language model"], folder)
    (folder / "known_answers.json").unlink()
    result = verify(folder)
    assert result.returncode == 65
    assert "last layer of GLDALQITV" in result.stdout and "TOO FAR" in result.stdout


def test_a_model_without_any_says_so():
    result = verify(LANGUAGE_MODELS / "head64")
    assert result.returncode == 0
    assert "there are no known answers for this model: nothing was computed" in result.stdout


def test_answers_that_the_model_cannot_give(tmp_path):
    def fold(answer):
        answer |= {"quantity": "mean_plddt", "passes": 1, "values": [[50]]}

    def narrow(answer):
        answer["values"] = [[0.5] * 10_000]

    def bounds(answer):
        answer["bounds"] = {"float16": 1}

    for change, message in ((fold, "a language model has no mean pLDDT"), (narrow, "narrower"), (bounds, "no bound")):
        folder = copy_of(MODELS["language model"], tmp_path / change.__name__, change)
        result = verify(folder)
        assert result.returncode == 65
        assert message in result.stderr


def test_a_broken_list(tmp_path):
    folder = copy_of(MODELS["language model"], tmp_path / "model", lambda answer: answer.pop("values"))
    result = verify(folder)
    assert result.returncode == 65
    assert "known_answers.json: answer 1" in result.stderr


def test_devices_and_precision_belong_to_computing():
    model = MODELS["language model"]
    assert pleat("model", "verify", model, "--precision", "fp32").returncode == 64
    assert pleat("model", "verify", model, "--devices", "cpu").returncode == 64
    assert verify(model, "--precision", "fp64").returncode == 64
    assert pleat("model", "verify", model, "--compute", "--devices", "gpu").returncode == 69


def test_doctor_computes_them(tmp_path):
    def finding(model, status):
        done = pleat("doctor", "--devices", "cpu", "--model", model, "--json")
        assert done.returncode == status, done.stdout
        return json.loads(done.stdout)["findings"][-1]

    good = finding(MODELS["folding model"], 0)
    assert (good["subject"], good["health"]) == ("model", "good")
    assert "mean pLDDT of KR" in good["text"]

    def change(answer):
        answer["values"][0][0] += 1

    bad = finding(copy_of(MODELS["language model"], tmp_path / "model", change), 65)
    assert bad["health"] == "fault" and "TOO FAR" in bad["text"] and "--compute" in bad["advice"]
    assert "no known answers" in finding(LANGUAGE_MODELS / "head64", 0)["text"]
    assert finding("esm2_t99", 66)["health"] == "fault"


def test_fetching_offers_them(run, tmp_path):  # noqa: F811
    assert f"pleat model verify {NAME} --compute" in fetch(run).stderr
    output = fetch(run, "--output", "weights")
    assert "--compute" in output.stderr  # the name says which model it is
