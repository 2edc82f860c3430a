import { list, search } from "./gallery.js";
import { watch } from "./load.js";
import { at, bar, complain, drawing, json, make, picture, shown, table, upload } from "./page.js";

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
  const query = `model=${encodeURIComponent(model.id)}`;
  const { logits, embedding } = model.card.outputs;
  const [classes, vectors] = await Promise.all([
    logits && json(`/v1/classify?top_k=5&${query}`, upload(file)),
    embedding && json(`/v1/embeddings?${query}`, upload(file)),
  ]);
  const name = file.name || "pasted image";
  const number = (shown.seen[0]?.number ?? 0) + 1;
  const side = make("div", {}, make("p", { className: "name" }, make("b", { textContent: number }), ` ${name}`));
  if (classes) side.append(bars(classes.data[0].predictions));
  const item = make("li", {}, picture(file, name), side);
  if (vectors) item.append(strip(vectors.data[0].embedding));
  const image = { file, name, number, item, model: model.id, has_vector: Boolean(vectors) };
  shown.seen.unshift(image);
  shown.seen.length = Math.min(shown.seen.length, 8);
  at("results").prepend(item);
  await search(image);
}

function bars(predictions) {
  const line = ({ label, score }) => {
    const percent = `${(score * 100).toFixed(1)} %`;
    return make("li", {}, bar(score), make("span", { textContent: label }), make("span", { textContent: percent }));
  };
  return make("ol", { className: "classes" }, ...predictions.map(line));
}

function strip(vector) {
  const largest = Math.max(...vector.map(Math.abs)) || 1;
  const line = (value, x) => {
    const height = (Math.abs(value) / largest) * 50;
    return drawing("rect", { x, width: 1, y: value > 0 ? 50 - height : 50, height });
  };
  const lines = drawing("svg", { viewBox: `0 0 ${vector.length} 100`, preserveAspectRatio: "none", role: "img", "aria-label": `the vector, ${vector.length} numbers` }, ...vector.map(line));
  const copy = make("button", { type: "button", textContent: "Copy" });
  copy.onclick = async () => {
    await navigator.clipboard.writeText(JSON.stringify(vector)).catch(complain);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  };
  return make("div", { className: "vector" }, make("span", { textContent: `${vector.length} numbers` }), lines, copy);
}

async function compare() {
  const seen = shown.seen.filter(({ model, has_vector }) => has_vector && model === shown.model?.id);
  at("compare").hidden = seen.length < 2;
  if (seen.length < 2) return;
  const body = new FormData();
  body.append("model", shown.model.id);
  seen.forEach(({ file }) => body.append("images", file));
  const { data } = await json("/v1/similarity", { method: "POST", body });
  const row = (values, index) => [`${seen[index].number} ${seen[index].name}`, ...values.map((value) => value.toFixed(3))];
  table(at("matrix"), ["", ...seen.map(({ number }) => number)], data.map(row));
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
  const row = ({ batch, largest_difference: found, tolerance }) => [batch, found.toExponential(1), tolerance.toExponential(1)];
  table(at("golden"), ["batch", "largest difference", "allowed"], model.golden.map(row));
  const short = (key, value) => (key === "data" && typeof value === "string" && value.length > 80 ? `${value.slice(0, 60)}…` : value);
  at("json").textContent = JSON.stringify(card, short, 2);
}

// ---- Start

async function start() {
  const { data } = await json("/v1/models");
  at("models").replaceChildren(...data.map(({ id }) => make("option", { value: id, textContent: id })));
  if (data.length) await choose(data[0].id);
  await list();
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
