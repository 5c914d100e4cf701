-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Graph pages: a web page that shows a circular buffer

The page is whole in itself: it loads the text of the circular buffer, which lies on the same server, and draws it. Lines can
be switched off by their names; NaN leaves a gap; an annotation is a vertical line that shows its text.

## Functions

`html(title, path)` returns the page. `title` may be any text; `path` leads from the page to the circular buffer and may hold letters,
digits, dots, slashes and underscores only.
--]]

local string = require "string"

local gsub, find = string.gsub, string.find
local error = error

local M = {}
setfenv(1, M)

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local PAGE = [==[
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>@TITLE@</title>
<style>
body { font: 15px sans-serif; margin: 1.5em; color: #222; background: #fff }
svg { width: 100%; height: 60vh; background: #f7f7f7 }
polyline { fill: none; stroke-width: 1.5; stroke-linecap: round; vector-effect: non-scaling-stroke }
line { stroke: #888; vector-effect: non-scaling-stroke }
label { margin-right: 1.5em }
</style>
<h1>@TITLE@</h1>
<p id="range">loading</p>
<svg id="graph" viewBox="0 0 1000 1000" preserveAspectRatio="none"></svg>
<p id="legend"></p>
<script>
"use strict";
const COLORS = ["#1f6fb2", "#d1491b", "#2b8a3e", "#8e44ad", "#b8860b", "#0b8a8a", "#c2185b", "#555555"];
const graph = document.getElementById("graph");
const shown = [];

function element(name, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    return made;
}

function parse(text) {
    const end = text.indexOf("\n");
    const head = JSON.parse(text.slice(0, end));
    const rows = text.slice(end + 1).trimEnd().split("\n").map(line => line.split("\t").map(parseFloat));
    return { head, rows };
}

// The unbroken pieces of a column, as the points of polylines.
function pieces(rows, column, y) {
    const found = [];
    let points = [];
    rows.forEach((row, i) => {
        if (Number.isFinite(row[column])) {
            points.push(1000 * i / Math.max(rows.length - 1, 1) + "," + y(row[column]));
        } else if (points.length > 0) {
            found.push(points);
            points = [];
        }
    });
    if (points.length > 0) found.push(points);
    return found.map(list => list.length === 1 ? [list[0], list[0]] : list);
}

function draw({ head, rows }) {
    const values = rows.flatMap(row => row.filter((value, i) => shown[i] && Number.isFinite(value)));
    const low = values.reduce((a, b) => Math.min(a, b), 0);
    const high = values.reduce((a, b) => Math.max(a, b), low);
    const y = value => 990 - 980 * (value - low) / (high - low || 1);
    graph.replaceChildren();
    head.column_info.forEach((info, column) => {
        if (!shown[column]) return;
        for (const points of pieces(rows, column, y)) {
            graph.append(element("polyline", { points: points.join(" "), stroke: COLORS[column % COLORS.length] }));
        }
    });
    for (const note of head.annotations || []) {
        const x = 1000 * (note.x / 1000 - head.time) / (head.seconds_per_row * Math.max(rows.length - 1, 1));
        const line = element("line", { x1: x, x2: x, y1: 0, y2: 1000 });
        line.append(element("title", {}));
        line.firstChild.textContent = note.text;
        graph.append(line);
    }
    const from = new Date(head.time * 1000), to = new Date((head.time + head.seconds_per_row * (rows.length - 1)) * 1000);
    document.getElementById("range").textContent =
        from.toISOString() + " to " + to.toISOString() + ", " + head.seconds_per_row + " s a point, from " + low + " to " + high;
}

function legend(data) {
    data.head.column_info.forEach((info, column) => {
        const label = document.createElement("label"), box = document.createElement("input");
        box.type = "checkbox";
        box.checked = shown[column] = true;
        box.onchange = () => { shown[column] = box.checked; draw(data); };
        label.style.color = COLORS[column % COLORS.length];
        label.append(box, " " + info.name + " (" + info.unit + ")");
        document.getElementById("legend").append(label);
    });
}

fetch("@PATH@")
    .then(answer => answer.text())
    .then(text => { const data = parse(text); legend(data); draw(data); })
    .catch(error => { document.getElementById("range").textContent = String(error); });
</script>
</html>
]==]

function html(title, path)
    if find(path, "[^%w./_]") then error("the path has a character that it must not have", 2) end
    local values = { TITLE = gsub(title, "[&<>\"']", ENTITIES), PATH = path }
    return (gsub(PAGE, "@(%u+)@", values))
end

return M
