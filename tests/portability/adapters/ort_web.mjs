// ONNX Runtime in a browser, as WebAssembly: `ort_web.mjs MODEL CARD NODE_FOLDER` prints one line of JSON.

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { inBrowser } from "./browser.mjs";

const [model, card, folder] = process.argv.slice(2);
const web = `${folder}/node_modules/onnxruntime-web`;
const routes = { "/model.onnx": model, "/card.json": card };
const folders = { "/ort/": `${web}/dist/`, "/": `${dirname(fileURLToPath(import.meta.url))}/` };
const samples = await inBrowser(folder, routes, folders, "/blank.html", async (page) =>
  page.evaluate(async () => {
    const [ort, { errors }] = await Promise.all([import("/ort/ort.wasm.min.mjs"), import("/golden.mjs")]);
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create("/model.onnx");
    return errors(ort, session, await (await fetch("/card.json")).json());
  }),
);
const { version } = JSON.parse(readFileSync(`${web}/package.json`, "utf8"));
console.log(JSON.stringify({ version, fixed: false, samples }));
