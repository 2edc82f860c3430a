// embed.mjs MODEL CARD IMAGE: prints the embedding; CARD is a file with what `selfie inspect MODEL --card` prints. Needs
// onnxruntime-node and sharp: `npm install` in this folder.

import { readFileSync } from "node:fs";
import ort from "onnxruntime-node";
import sharp from "sharp";
import { prepare } from "../web/card.mjs";

const [model, about, image] = process.argv.slice(2);
const card = JSON.parse(readFileSync(about, "utf8"));
// Upright, RGBA, eight bits (of sixteen the upper eight, which are not rounded).
const decoded = sharp(image).autoOrient().toColourspace("srgb").ensureAlpha().raw();
const { data, info } = await decoded.toBuffer({ resolveWithObject: true });
const { type, values, shape } = prepare(card, { width: info.width, height: info.height, data });
const session = await ort.InferenceSession.create(model);
const outputs = await session.run({ [card.input.name]: new ort.Tensor(type, values, shape) });
console.log(JSON.stringify(Array.from(outputs[card.outputs.embedding.name].data)));
