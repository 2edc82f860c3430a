// Galleries: which one is searched, and what is near an image in it.

import { at, bar, complain, json, make, shown, upload } from "./page.js";
import { open, place } from "./map.js";

const NEIGHBOURS = 6;
const galleries = { all: [], chosen: null };

export async function list() {
  const { data } = await json("/v1/galleries");
  galleries.all = data;
  at("gallery").hidden = data.length === 0;
  at("galleries").replaceChildren(...data.map(({ id }) => make("option", { value: id, textContent: id })));
  await choose(data[0]?.id);
}

async function choose(id) {
  galleries.chosen = galleries.all.find((gallery) => gallery.id === id) ?? null;
  for (const image of shown.seen) forget(image);
  const again = async () => {
    for (const image of shown.seen) await search(image);
  };
  await Promise.all([open(galleries.chosen), again()]);
}

function forget(image) {
  image.near?.remove();
  Object.assign(image, { near: null, point: null });
}

// Shows what is near an image, below it, and its own place on the map.
export async function search(image) {
  const gallery = galleries.chosen;
  if (!gallery) return;
  const query = new URLSearchParams({ gallery: gallery.id, k: NEIGHBOURS, map: true, thumbnails: gallery.thumbnails });
  // A gallery knows its model, unless another program wrote it.
  if (!gallery.model) query.set("model", image.model);
  const { data } = await json(`/v1/search?${query}`, upload(image.file));
  if (gallery !== galleries.chosen) return;
  const [{ neighbours, map }] = data;
  forget(image);
  image.point = map;
  image.near = make("div", { className: "near" }, title(gallery), make("ol", {}, ...neighbours.map(neighbour)));
  image.item.append(image.near);
  place(shown.seen.filter(({ point }) => point));
}

function title({ id, vectors, model }) {
  const by = model && model.name !== shown.model?.id ? `, by ${model.name}` : "";
  return make("p", { className: "name", textContent: `Nearest of ${vectors.toLocaleString("en")} in ${id}${by}` });
}

function neighbour({ id, label, score, thumbnail }) {
  const cosine = make("span", { className: "cosine" }, bar(score), make("span", { textContent: score.toFixed(3), title: "cosine" }));
  const lines = [make("span", { className: "id", title: id }, make("bdi", { textContent: id })), make("span", { className: "label", textContent: label ?? "" }), cosine];
  const images = thumbnail ? [make("img", { src: `data:image/jpeg;base64,${thumbnail}`, alt: "" })] : [];
  return make("li", {}, ...images, ...lines);
}

at("galleries").onchange = (event) => choose(event.target.value).catch(complain);
