"""The script of the report's page, run on a document that is as small as it may be."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from pixpress.report_page import Cell, page, table

DOM = """
const cell = (spec) => ({
  dataset: spec.value === undefined ? {} : { value: spec.value },
  textContent: spec.text, childNodes: [], attributes: {}, listeners: {},
  append(node) { this.button = node; },
  getAttribute(name) { return this.attributes[name] ?? null; },
  setAttribute(name, value) { this.attributes[name] = value; },
  removeAttribute(name) { delete this.attributes[name]; },
});
const { heads, rows, clicks, slide } = JSON.parse(require("fs").readFileSync(0, "utf8")).given;
const script = process.argv[1];
const table = {
  tHead: { rows: [{ cells: heads.map((text) => cell({ text })) }] },
  tBodies: [{
    rows: rows.map((cells) => ({ cells: cells.map(cell) })),
    append(...sorted) { this.rows = sorted; },
  }],
};
const pair = {
  properties: {},
  style: { setProperty(name, value) { pair.properties[name] = value; } },
  after(node) { pair.slider = node; },
};
const document = {
  querySelectorAll: (what) => (what === "table" ? [table] : [pair]),
  createElement: () => ({
    listeners: {},
    append() {},
    setAttribute() {},
    addEventListener(name, call) { this.listeners[name] = call; },
  }),
};
new Function("document", script)(document);
const seen = clicks.map((place) => {
  const head = table.tHead.rows[0].cells[place];
  head.button.listeners.click();
  return [head.getAttribute("aria-sort"),
          table.tBodies[0].rows.map((row) => row.cells[0].textContent)];
});
pair.slider.value = slide;
pair.slider.listeners.input();
console.log(JSON.stringify({ seen, cut: pair.properties["--cut"] }));
"""


def test_heads_sort_by_number_or_text_and_sliders_move_the_line() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node to run the page's script")
    rows = [
        [Cell("b"), Cell("9", 9)],
        [Cell("a"), Cell("1,000", 1000)],
        [Cell("c"), Cell("80", 80)],
    ]
    text = page("t", [table("t", ("name", "bytes"), rows, 0)])
    script = text.split("<script>")[1].split("</script>")[0]
    given = {
        "heads": ["name", "bytes"],
        "rows": [
            [
                {"text": one.text} if one.value is None else {"text": one.text, "value": one.value}
                for one in row
            ]
            for row in rows
        ],
        "clicks": [1, 1, 0],
        "slide": 30,
    }
    done = subprocess.run(
        [node, "-e", DOM, "--", script],
        input=json.dumps({"given": given}),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["seen"] == [
        ["ascending", ["b", "c", "a"]],
        ["descending", ["a", "c", "b"]],
        ["ascending", ["a", "b", "c"]],
    ]
    assert told["cut"] == "30%"
