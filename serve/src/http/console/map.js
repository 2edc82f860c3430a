// The map: a gallery on the two directions in which its vectors differ most, and the images that were dropped among them.

import { ask, at, json, make, picture, table } from "./page.js";
import { ink, mark, onTheme, paper, stamp, symbol } from "./marks.js";
import { View } from "./view.js";

// How far from a point its picture can be pointed at.
const REACH = 14;
// Classes of the legend; of more the rest is counted.
const LEGEND = 40;

const canvas = at("points");
// The points of the gallery, by class as well, and those of the images that were dropped.
const map = { gallery: null, all: [], classes: [], images: [], chosen: null };
const view = new View(canvas, redraw, (place) => choose(nearest(place)));

// Shows the map of a gallery.
export async function open(gallery) {
  Object.assign(map, { gallery, all: [], classes: [], images: [] });
  at("map").hidden = !gallery;
  choose(null);
  if (!gallery) return;
  at("map-note").textContent = "The map is being made …";
  const found = await json(`/v1/galleries/${encodeURIComponent(gallery.id)}/map`);
  if (gallery !== map.gallery) return;
  const { rows, ids, labels, points, vectors, sample, variance } = found;
  map.all = rows.map((row, index) => ({ row, id: ids[index], label: labels[index], point: points[index] }));
  const members = Map.groupBy(map.all, ({ label }) => label);
  map.classes = [...gallery.labels, null].filter((label) => members.has(label)).map((label) => ({ label, points: members.get(label), is_shown: true }));
  const some = [rows.length < vectors && `${rows.length.toLocaleString("en")} of them shown, evenly chosen`, sample < vectors && `axes from ${sample.toLocaleString("en")}`];
  const parts = variance.map((part) => `${(part * 100).toFixed(1)} %`).join(" and ");
  at("map-note").textContent = [`${vectors.toLocaleString("en")} vectors`, ...some.filter(Boolean), `the axes, two principal components, have ${parts} of the variance`].join("; ");
  paint();
  describe();
  view.fit([...points, ...map.images.map(({ point }) => point)]);
}

// Puts images with a point on the map.
export function place(images) {
  map.images = images.map(({ name, number, point, file }) => ({ id: name, label: "dropped here", number, point, file }));
  if (map.all.length === 0) return;
  describe();
  const points = [...map.all, ...map.images].map(({ point }) => point);
  if (points.every((point) => view.holds(point))) redraw();
  else view.fit(points);
}

function paint() {
  const known = map.classes.filter(({ label }) => label !== null).length;
  map.classes.forEach((one, index) => Object.assign(one, { mark: mark(one.label === null ? -1 : index, known), stamp: null }));
  const entries = map.classes.slice(0, LEGEND).map((one) => {
    const button = make("button", { type: "button" }, symbol(one.mark), one.label ?? "no label");
    button.setAttribute("aria-pressed", one.is_shown);
    button.onclick = () => {
      one.is_shown = !one.is_shown;
      button.setAttribute("aria-pressed", one.is_shown);
      if (!one.is_shown && one.points.includes(map.chosen)) choose(null);
      redraw();
    };
    return make("li", {}, button);
  });
  const more = map.classes.length - LEGEND;
  if (more > 0) entries.push(make("li", { textContent: `and ${more} more` }));
  at("legend").replaceChildren(...entries);
}

const visible = () => [...map.classes.filter(({ is_shown }) => is_shown).flatMap(({ points }) => points), ...map.images];

// ---- Drawing, at most once a frame

let is_due = false;
function redraw() {
  if (is_due || map.all.length === 0) return;
  is_due = true;
  requestAnimationFrame(() => {
    is_due = false;
    if (map.all.length > 0) draw();
  });
}

function draw() {
  const ratio = view.measure();
  const [width, height] = [view.width, view.height].map((side) => Math.round(side * ratio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  for (const one of map.classes.filter(({ is_shown }) => is_shown)) {
    if (one.ratio !== ratio || !one.stamp) Object.assign(one, { ratio, stamp: stamp(one.mark, ratio) });
    const half = one.stamp.width / 2;
    for (const { point } of one.points) {
      const [x, y] = view.place(point);
      if (x > -9 && y > -9 && x < view.width + 9 && y < view.height + 9) context.drawImage(one.stamp, Math.round(x * ratio - half), Math.round(y * ratio - half));
    }
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (const image of map.images) pin(context, image);
  if (map.chosen) ring(context, map.chosen.point);
}

// An image that was dropped: a disc with its number.
function pin(context, { point, number }) {
  const [x, y] = view.place(point);
  context.beginPath();
  context.arc(x, y, 10, 0, 2 * Math.PI);
  Object.assign(context, { fillStyle: ink(), strokeStyle: paper(), lineWidth: 2, font: "bold 12px system-ui, sans-serif", textAlign: "center", textBaseline: "middle" });
  context.fill();
  context.stroke();
  context.fillStyle = paper();
  context.fillText(number, x, y + 0.5);
}

function ring(context, point) {
  context.beginPath();
  context.arc(...view.place(point), 13, 0, 2 * Math.PI);
  Object.assign(context, { strokeStyle: ink(), lineWidth: 2 });
  context.stroke();
}

// ---- Choosing a point

function nearest([x, y]) {
  let [best, least] = [null, REACH];
  for (const spot of visible()) {
    const [left, top] = view.place(spot.point);
    const distance = Math.hypot(left - x, top - y);
    if (distance <= least) [best, least] = [spot, distance];
  }
  return best;
}

// The next point in a direction: near, and not far aside.
function next([right, down]) {
  const [x, y] = map.chosen ? view.place(map.chosen.point) : [view.width / 2, view.height / 2];
  let [best, least] = [null, Infinity];
  for (const spot of visible()) {
    const [left, top] = view.place(spot.point);
    const along = (left - x) * right + (top - y) * down;
    const aside = Math.abs((left - x) * down) + Math.abs((top - y) * right);
    if (spot !== map.chosen && along > 0.5 && aside <= along && along + 2 * aside < least) [best, least] = [spot, along + 2 * aside];
  }
  return best;
}

function choose(spot) {
  if (spot === map.chosen) return;
  map.chosen = spot;
  at("chosen-id").textContent = spot?.id ?? "Point at the map, or go through it with the arrow keys.";
  at("chosen-label").textContent = spot?.label ?? "";
  at("chosen-picture").replaceChildren();
  // Whoever passes over many points waits for none of their pictures.
  if (spot) setTimeout(() => spot === map.chosen && portray(spot).catch(() => {}), 80);
  redraw();
}

async function portray(spot) {
  if (!spot.file && !map.gallery.thumbnails) return;
  const stored = `/v1/galleries/${encodeURIComponent(map.gallery.id)}/thumbnails/${spot.row}`;
  const bytes = spot.file ?? (await (await ask(stored)).blob());
  if (spot === map.chosen) at("chosen-picture").replaceChildren(picture(bytes, ""));
}

// ---- The map in words

function describe() {
  const mean = (points, axis) => points.reduce((sum, { point }) => sum + point[axis], 0) / points.length;
  const line = (name, points) => [name, points.length.toLocaleString("en"), mean(points, 0).toFixed(3), mean(points, 1).toFixed(3)];
  const classes = map.classes.map(({ label, points }) => line(label ?? "no label", points));
  const images = map.images.map((image) => line(`${image.number} ${image.id}, dropped here`, [image]));
  table(at("map-table"), ["class", "points", "centre, first axis", "second axis"], [...images, ...classes]);
  const known = map.classes.filter(({ label }) => label !== null).length;
  canvas.setAttribute("aria-label", `Map of ${map.all.length} vectors; classes: ${known}; images dropped here: ${map.images.length}`);
}

canvas.onkeydown = (event) => {
  if (map.all.length === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (!view.key(event)) {
    if (event.key === "Escape") choose(null);
    else if (arrows[event.key]) {
      const spot = next(arrows[event.key]);
      if (spot) view.reveal(spot.point);
      choose(spot ?? map.chosen);
    } else return;
  }
  event.preventDefault();
};
at("map-in").onclick = () => view.zoomBy(2);
at("map-out").onclick = () => view.zoomBy(0.5);
at("map-all").onclick = () => view.all();
new ResizeObserver(redraw).observe(canvas);
onTheme(() => {
  paint();
  redraw();
});
