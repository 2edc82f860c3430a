// ONNX Runtime in Node: `ort_node.mjs MODEL CARD NODE_FOLDER` prints one line of JSON.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { errors } from "./golden.mjs";

const [model, card, folder] = process.argv.slice(2);
const ort = createRequire(`${folder}/`)("onnxruntime-node");
const session = await ort.InferenceSession.create(model);
const samples = await errors(ort, session, JSON.parse(readFileSync(card, "utf8")));
console.log(JSON.stringify({ version: ort.env.versions.node ?? ort.env.versions.common, fixed: false, samples }));
