// Opens examples/web in a browser, drops an image in, prints what the page shows:
// `web_example.mjs MODEL CARD IMAGE NODE_FOLDER`.

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { inBrowser } from "./adapters/browser.mjs";

const [model, card, image, nodeFolder] = process.argv.slice(2);
const examples = `${dirname(fileURLToPath(import.meta.url))}/../../examples/web/`;
const folders = { "/node_modules/": `${nodeFolder}/node_modules/`, "/": examples };
const shown = await inBrowser(nodeFolder, { "/model.onnx": model, "/card.json": card }, folders, "/index.html", async (page) => {
  await page.waitForSelector("html[data-ready]");
  await page.setInputFiles("input", image);
  await page.waitForFunction(() => document.querySelector("pre").textContent !== "");
  return page.textContent("pre");
});
console.log(shown);
