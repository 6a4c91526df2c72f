"""What `pleat report` wrote, read without a browser."""

import base64
import gzip
import json
import re
import struct
from html.parser import HTMLParser

import numpy as np

TYPES = {"f4": "<f4", "u1": "u1", "u2": "<u2", "i4": "<i4"}


def unpack(text):
    """A data element's meta and arrays."""
    data = gzip.decompress(base64.b64decode(text))
    (size,) = struct.unpack_from("<I", data)
    head = json.loads(data[4 : 4 + size])
    base = (4 + size + 7) // 8 * 8
    arrays = {}
    for name, array in head["arrays"].items():
        begin, count = base + array["at"], array["count"]
        if array["type"] in TYPES:
            arrays[name] = np.frombuffer(data, TYPES[array["type"]], count, begin)
        elif array["type"] == "differences":
            planes = np.frombuffer(data, "u1", 4 * count, begin).reshape(4, count).astype(np.uint32)
            folded = sum(planes[i] << np.uint32(8 * i) for i in range(4))
            arrays[name] = np.cumsum((folded >> 1).astype(np.int64) ^ -(folded & 1).astype(np.int64)).astype(np.int32)
    for name, array in head["arrays"].items():
        if array["type"] == "text":
            offsets = arrays[name + ".offsets"] + base + array["at"]
            arrays[name] = [data[a:b].decode() for a, b in zip(offsets, offsets[1:])]
    return head["meta"], arrays


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.html = text
        self.scripts = []  # (attributes, text)
        self.tags = []
        self.policy = None
        self.texts = []
        self._inside = None
        self.feed(text)
        self.data = {attributes["id"]: text for attributes, text in self.scripts if "id" in attributes}

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        self._inside = tag
        if tag == "script":
            self.scripts.append((attributes, ""))

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif self._inside != "style":
            self.texts.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.texts))

    def blob(self, name):
        return unpack(self.data[name])
