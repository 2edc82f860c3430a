// The API for people: everything on this page is read from the description that programs read.

import { at, make, table } from "./page.js";

const description = await (await fetch("/openapi.json")).json();

// A part itself, or what its reference leads to.
const found = (part) =>
  part?.$ref ? part.$ref.slice(2).split("/").reduce((part, name) => part[name], description) : part;

// A schema with what its references lead to in their place.
function whole(part) {
  if (Array.isArray(part)) return part.map(whole);
  if (part === null || typeof part !== "object") return part;
  if (part.$ref) return whole(found(part));
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, whole(value)]));
}

// The type of a value in a few words.
function kind(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  if (schema.oneOf) return schema.oneOf.map(kind).join(" or ");
  if (schema.items) return `list of ${kind(schema.items)}`;
  return [schema.type ?? "any"].flat().join(" or ");
}

const scroll = (...children) => make("div", { className: "scroll" }, ...children);

function rows(head, lines) {
  const element = make("table", { className: "text" });
  table(element, head, lines);
  return scroll(element);
}

const heading = (textContent) => make("h3", { textContent });

function schema(part) {
  const text = JSON.stringify(whole(part), null, 1);
  return make("details", {}, make("summary", { textContent: kind(part) }), make("pre", { textContent: text }));
}

// A line to try it with, where one is enough.
function line(method, path, types) {
  const url = location.origin + path;
  if (method === "get") return `curl '${url}'`;
  if (types.includes("image/*")) return `curl -H 'content-type: image/jpeg' --data-binary @photo.jpg '${url}'`;
  return `curl -H 'content-type: application/json' -d '{}' '${url}'`;
}

function operation(path, method, { summary, description, parameters = [], requestBody, responses }) {
  const bodies = Object.entries(found(requestBody)?.content ?? {});
  const parts = [make("pre", { textContent: line(method, path, bodies.map(([type]) => type)) })];
  if (description) parts.unshift(make("p", { className: "note", textContent: description }));
  if (parameters.length > 0) {
    const fields = parameters.map(found).map((one) => [one.name, one.in, kind(one.schema), one.description ?? ""]);
    parts.push(heading("Parameters"), rows(["name", "in", "type", "what it says"], fields));
  }
  for (const [type, body] of bodies) {
    const fields = Object.entries(body.schema.properties ?? {});
    parts.push(heading(`Body, ${type}`));
    if (fields.length > 0) {
      parts.push(rows(["field", "type", "what it says"], fields.map(([name, field]) => [name, kind(field), field.description ?? ""])));
    }
    parts.push(schema(body.schema));
  }
  parts.push(heading("Answers"));
  for (const [status, given] of Object.entries(responses)) {
    const answer = found(given);
    parts.push(make("p", { textContent: `${status}: ${answer.description}` }));
    const forms = Object.values(answer.content ?? {}).filter((content) => content.schema);
    parts.push(...forms.map((content) => schema(content.schema)));
  }
  const name = make("code", { textContent: `${method.toUpperCase()} ${path}` });
  return make("details", { className: "operation" }, make("summary", {}, name, ` ${summary}`), ...parts);
}

function show() {
  const groups = new Map();
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, one] of Object.entries(methods)) {
      const tag = one.tags?.[0] ?? "";
      groups.set(tag, [...(groups.get(tag) ?? []), operation(path, method, one)]);
    }
  }
  const section = ([tag, operations]) => make("section", {}, make("h2", { textContent: tag }), ...operations);
  at("operations").replaceChildren(...[...groups].map(section));
}

function filter() {
  const wanted = at("filter").value.trim().toLowerCase();
  for (const section of at("operations").children) {
    const operations = [...section.querySelectorAll(".operation")];
    for (const one of operations) one.hidden = !one.firstChild.textContent.toLowerCase().includes(wanted);
    section.hidden = operations.every((one) => one.hidden);
  }
}

at("title").textContent = `${description.info.title} ${description.info.version}`;
at("about").textContent = description.info.description;
at("filter").addEventListener("input", filter);
show();
filter();
