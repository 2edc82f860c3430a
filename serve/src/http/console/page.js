// Everything on this page comes from the routes that every client has; `ask` is the one way to them.

export const at = (id) => document.getElementById(id);

// The model that is chosen, and the images that were shown last.
export const shown = { model: null, seen: [] };

export async function ask(path, options = {}) {
  const key = sessionStorage.getItem("key");
  const headers = { ...options.headers, ...(key && { authorization: `Bearer ${key}` }) };
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401) at("access").hidden = false;
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Error(body.error?.message ?? body.error ?? `${path} answered ${response.status}`);
}

export const json = async (path, options) => (await ask(path, options)).json();

// How an image is sent.
export const upload = (file) => ({ method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function drawing(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A picture of bytes that are here already.
export function picture(blob, alt) {
  const image = make("img", { src: URL.createObjectURL(blob), alt });
  image.onload = () => URL.revokeObjectURL(image.src);
  return image;
}

// A bar behind text, for a share from 0 to 1.
export function bar(share) {
  const width = `${(Math.max(share, 0) * 100).toFixed(2)}%`;
  return drawing("svg", { "aria-hidden": "true" }, drawing("rect", { x: 0, y: 0, height: "100%", width }));
}

export function table(element, head, rows) {
  const line = make("tr", {}, ...head.map((textContent) => make("th", { scope: "col", textContent })));
  const row = ([name, ...values]) => make("tr", {}, make("th", { scope: "row", textContent: name }), ...values.map((textContent) => make("td", { textContent })));
  element.replaceChildren(line, ...rows.map(row));
}

export function complain(error) {
  at("message").textContent = error.message ?? String(error);
  at("message").hidden = false;
}
