"""The page in Firefox, which draws nothing in 3D without a screen; test_page.py uses Chromium, which does."""

import pytest
from firefox import Firefox


@pytest.fixture(scope="module")
def firefox():
    made = Firefox()
    yield made
    made.close()


def test_structure_without_3d(firefox, structures_page):
    """All but the molecule is there, and the page says why that is not."""
    firefox.open(structures_page, "record=3")
    firefox.wait("document.documentElement.dataset.shown === '3'")
    assert firefox.value_of("document.getElementById('detail-heading').textContent") == "sp|P0CG48|UBC_HUMAN"
    assert firefox.value_of("document.createElement('canvas').getContext('webgl') === null")
    assert firefox.value_of("document.getElementById('viewer').hidden && !document.getElementById('no-3d').hidden")
    assert not firefox.value_of("document.getElementById('save-pdb').hidden")
    assert len(set(firefox.picture("svg[data-map=pae]").getdata())) > 20
    firefox.value_of("location.hash = 'record=3&select=3-9'")
    firefox.wait("document.getElementById('selection-text').textContent === '7 residues are selected'")
    firefox.value_of("document.querySelector('th[data-column=length] button').click()")
    lengths = firefox.value_of("[...document.querySelectorAll('#records tbody tr')].map((row) => row.cells[2].textContent).join()")
    assert lengths == "20,29,46,51,76"
    assert firefox.said == []


def test_embeddings(firefox, embeddings_page):
    firefox.open(embeddings_page, "record=0")
    firefox.wait("document.documentElement.dataset.shown === '0'")
    assert len(set(firefox.picture("svg[data-map=scatter]").getdata())) > 20
    assert len(set(firefox.picture("svg[data-map=contacts]").getdata())) > 20
    assert firefox.said == []
