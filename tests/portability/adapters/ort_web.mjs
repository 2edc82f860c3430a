// ONNX Runtime in a browser, as WebAssembly: `ort_web.mjs MODEL CARD NODE_FOLDER` prints one line of JSON.

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { inBrowser } from "./browser.mjs";

const [model, card, folder] = process.argv.slice(2);
const web = `${folder}/node_modules/onnxruntime-web`;
// A browser has no folder in which weights that lie apart could be found by their name.
const apart = existsSync(`${model}.data`) ? [{ path: `${basename(model)}.data`, data: "/weights" }] : [];
const routes = { "/model.onnx": model, "/card.json": card, "/weights": `${model}.data` };
const folders = { "/ort/": `${web}/dist/`, "/": `${dirname(fileURLToPath(import.meta.url))}/` };
const samples = await inBrowser(folder, routes, folders, "/blank.html", async (page) =>
  page.evaluate(async (externalData) => {
    const [ort, { errors }] = await Promise.all([import("/ort/ort.wasm.min.mjs"), import("/golden.mjs")]);
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create("/model.onnx", { externalData });
    return errors(ort, session, await (await fetch("/card.json")).json());
  }, apart),
);
const { version } = JSON.parse(readFileSync(`${web}/package.json`, "utf8"));
console.log(JSON.stringify({ version, fixed: false, samples }));
