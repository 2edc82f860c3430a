"use strict";

// Everything on this page comes from the routes that every client has; `ask` is the one way to them.

const at = (id) => document.getElementById(id);
const shown = { model: null, seen: [] };

async function ask(path, options = {}) {
  const key = sessionStorage.getItem("key");
  const headers = { ...options.headers, ...(key && { authorization: `Bearer ${key}` }) };
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401) at("access").hidden = false;
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Error(body.error?.message ?? body.error ?? `${path} answered ${response.status}`);
}

const json = async (path, options) => (await ask(path, options)).json();

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function drawing(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function complain(error) {
  at("message").textContent = error.message ?? String(error);
  at("message").hidden = false;
}

// ---- Images

async function show(files) {
  at("message").hidden = true;
  for (const file of files) {
    await one(file).catch((error) => complain(new Error(`${file.name || "image"}: ${error.message}`)));
  }
  await compare().catch(complain);
}

async function one(file) {
  const model = shown.model;
  if (!model) throw new Error("no model is served");
  const post = { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } };
  const query = `model=${encodeURIComponent(model.id)}`;
  const outputs = model.card.outputs;
  const [classes, vectors] = await Promise.all([
    outputs.logits && json(`/v1/classify?top_k=5&${query}`, post),
    outputs.embedding && json(`/v1/embeddings?${query}`, post),
  ]);
  const picture = make("img", { src: URL.createObjectURL(file), alt: file.name || "the image" });
  picture.onload = () => URL.revokeObjectURL(picture.src);
  const side = make("div", {}, make("p", { className: "name", textContent: file.name || "pasted image" }));
  if (classes) side.append(bars(classes.data[0].predictions));
  const item = make("li", {}, picture, side);
  if (vectors) {
    const vector = vectors.data[0].embedding;
    item.append(strip(vector));
    shown.seen.unshift({ file, name: file.name || "pasted image", model: model.id });
    shown.seen.length = Math.min(shown.seen.length, 8);
  }
  at("results").prepend(item);
}

function bars(predictions) {
  const line = ({ label, score }) => {
    const bar = drawing("rect", { x: 0, y: 0, height: "100%", width: `${(score * 100).toFixed(2)}%` });
    const percent = `${(score * 100).toFixed(1)} %`;
    return make("li", {}, drawing("svg", { "aria-hidden": "true" }, bar), make("span", { textContent: label }), make("span", { textContent: percent }));
  };
  return make("ol", { className: "classes" }, ...predictions.map(line));
}

function strip(vector) {
  const largest = Math.max(...vector.map(Math.abs)) || 1;
  const bar = (value, x) => {
    const height = (Math.abs(value) / largest) * 50;
    return drawing("rect", { x, width: 1, y: value > 0 ? 50 - height : 50, height });
  };
  const picture = drawing("svg", { viewBox: `0 0 ${vector.length} 100`, preserveAspectRatio: "none", role: "img", "aria-label": `the vector, ${vector.length} numbers` }, ...vector.map(bar));
  const copy = make("button", { type: "button", textContent: "Copy" });
  copy.onclick = async () => {
    await navigator.clipboard.writeText(JSON.stringify(vector)).catch(complain);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  };
  return make("div", { className: "vector" }, make("span", { textContent: `${vector.length} numbers` }), picture, copy);
}

async function compare() {
  const seen = shown.seen.filter(({ model }) => model === shown.model?.id);
  at("compare").hidden = seen.length < 2;
  if (seen.length < 2) return;
  const body = new FormData();
  body.append("model", shown.model.id);
  seen.forEach(({ file }) => body.append("images", file));
  const { data } = await json("/v1/similarity", { method: "POST", body });
  const head = make("tr", {}, make("th"), ...seen.map((_, index) => make("th", { scope: "col", textContent: index + 1 })));
  const row = (values, index) => {
    const name = make("th", { scope: "row", textContent: `${index + 1} ${seen[index].name}` });
    return make("tr", {}, name, ...values.map((value) => make("td", { textContent: value.toFixed(3) })));
  };
  at("matrix").replaceChildren(head, ...data.map(row));
}

// ---- The model

async function choose(id) {
  const model = await json(`/v1/models/${encodeURIComponent(id)}`);
  shown.model = model;
  const { card } = model;
  const { input, outputs, preprocessing, provenance } = card;
  const facts = {
    Version: model.version,
    Runtime: `${model.runtime} on ${model.device}`,
    Why: model.reason,
    Input: `${input.channels} x ${input.height} x ${input.width}, ${input.dtype}, ${input.layout}`,
    Embedding: outputs.embedding ? `${outputs.embedding.width} numbers` : "none",
    Classes: outputs.logits ? outputs.logits.labels.join(", ") : "none",
    Mean: preprocessing.image_mean.map((value) => value.toPrecision(3)).join(", "),
    Deviation: preprocessing.image_std.map((value) => value.toPrecision(3)).join(", "),
    Recipe: provenance.recipe,
    Data: provenance.data,
    Steps: provenance.steps || "",
    ...Object.fromEntries(Object.entries(provenance.metrics).map(([name, value]) => [name, value.toPrecision(4)])),
  };
  const pairs = Object.entries(facts).filter(([, value]) => value !== "" && value !== undefined);
  at("card").replaceChildren(...pairs.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })]));
  const head = make("tr", {}, ...["batch", "largest difference", "allowed"].map((textContent) => make("th", { scope: "col", textContent })));
  const row = ({ batch, largest_difference: found, tolerance }) => make("tr", {}, ...[batch, found.toExponential(1), tolerance.toExponential(1)].map((textContent) => make("td", { textContent })));
  at("golden").replaceChildren(head, ...model.golden.map(row));
  const short = (key, value) => (key === "data" && typeof value === "string" && value.length > 80 ? `${value.slice(0, 60)}…` : value);
  at("json").textContent = JSON.stringify(card, short, 2);
}

// ---- The load: two readings of the metrics make one point of each chart

const POINTS = 120;
const CHARTS = [
  { name: "requests/s", of: (now, before, seconds) => rate(now, before, "selfie_http_requests_total", seconds) },
  { name: "images/s", of: (now, before, seconds) => rate(now, before, "selfie_items_total", seconds) },
  { name: "images in a batch", of: (now, before) => rate(now, before, "selfie_items_total", rate(now, before, "selfie_batches_total", 1)) },
  { name: "waiting", of: (now) => now.get("selfie_queue_depth") ?? 0 },
  { name: "runtime, ms a batch", of: (now, before) => milliseconds(now, before, "infer") },
  { name: "decoding, ms an image", of: (now, before) => milliseconds(now, before, "decode") },
];

function rate(now, before, name, over) {
  const grown = (now.get(name) ?? 0) - (before.get(name) ?? 0);
  return over > 0 ? Math.max(grown, 0) / over : 0;
}

function milliseconds(now, before, stage) {
  const name = `selfie_stage_duration_seconds_${stage}`;
  return rate(now, before, `${name}_sum`, rate(now, before, `${name}_count`, 1)) * 1e3;
}

// The text format of Prometheus, summed over all labels but the stage. Requests of this page do not count.
function read(text) {
  const totals = new Map();
  for (const line of text.split("\n")) {
    const found = /^(\w+?)(_sum|_count)?(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found || line.startsWith("#")) continue;
    const [, name, suffix = "", labels = "", value] = found;
    if (name === "selfie_http_requests_total" && /method="GET"/.test(labels)) continue;
    const stage = /stage="(\w+)"/.exec(labels)?.[1];
    const key = name + (stage ? `_${stage}` : "") + suffix;
    totals.set(key, (totals.get(key) ?? 0) + Number(value));
  }
  return totals;
}

function charts() {
  return CHARTS.map(({ name, of }) => {
    const line = drawing("polyline", { points: "" });
    const value = make("output", { textContent: "–" });
    const picture = drawing("svg", { viewBox: `0 0 ${POINTS} 100`, preserveAspectRatio: "none", role: "img", "aria-label": name }, line);
    at("charts").append(make("figure", {}, make("figcaption", {}, make("span", { textContent: name }), value), picture));
    const points = [];
    return (...readings) => {
      points.push(of(...readings));
      if (points.length > POINTS) points.shift();
      const top = Math.max(...points) || 1;
      line.setAttribute("points", points.map((y, x) => `${POINTS - points.length + x},${(98 - (y / top) * 92).toFixed(1)}`).join(" "));
      const last = points.at(-1);
      value.textContent = `${last < 10 ? last.toFixed(2) : last.toFixed(0)} (most ${top < 10 ? top.toFixed(2) : top.toFixed(0)})`;
    };
  });
}

async function watch() {
  const draw = charts();
  let before = null;
  for (;;) {
    if (!document.hidden) {
      const reading = await ask("/metrics").then((response) => response.text()).then((text) => ({ totals: read(text), at: performance.now() })).catch(() => null);
      if (reading && before) draw.forEach((chart) => chart(reading.totals, before.totals, (reading.at - before.at) / 1e3));
      before = reading;
      const is_ready = reading && (await fetch("/v2/health/ready").then(({ ok }) => ok).catch(() => false));
      at("health").textContent = is_ready ? "ready" : "not ready";
      at("health").className = is_ready ? "ready" : "down";
    }
    await new Promise((done) => setTimeout(done, 1000));
  }
}

// ---- Start

async function start() {
  const { data } = await json("/v1/models");
  at("models").replaceChildren(...data.map(({ id }) => make("option", { value: id, textContent: id })));
  if (data.length) await choose(data[0].id);
}

at("models").onchange = (event) => choose(event.target.value).then(compare).catch(complain);
at("files").onchange = (event) => show([...event.target.files]);
at("access").onsubmit = (event) => {
  event.preventDefault();
  sessionStorage.setItem("key", at("key").value);
  at("access").hidden = true;
  at("message").hidden = true;
  start().catch(complain);
};
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").classList.add("over");
});
document.addEventListener("dragleave", () => at("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  show([...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => show([...event.clipboardData.files]));

start().catch(complain);
watch();
