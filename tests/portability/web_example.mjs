// Opens examples/web in a browser, drops images in, prints what the page shows, a line each:
// `web_example.mjs MODEL CARD NODE_FOLDER IMAGE...`.

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { inBrowser } from "./adapters/browser.mjs";

const [model, card, nodeFolder, ...images] = process.argv.slice(2);
const examples = `${dirname(fileURLToPath(import.meta.url))}/../../examples/web/`;
const folders = { "/node_modules/": `${nodeFolder}/node_modules/`, "/": examples };
await inBrowser(nodeFolder, { "/model.onnx": model, "/card.json": card }, folders, "/index.html", async (page) => {
  await page.waitForSelector("html[data-ready]");
  for (const image of images) {
    await page.evaluate(() => (document.querySelector("pre").textContent = ""));
    await page.setInputFiles("input", image);
    await page.waitForFunction(() => document.querySelector("pre").textContent !== "");
    console.log(await page.textContent("pre"));
  }
});
