// The load: two readings of the metrics make one point of each chart.

import { ask, at, drawing, make } from "./page.js";

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

export async function watch() {
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
