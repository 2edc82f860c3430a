// A headless Chromium on files that a small server gives out on the loopback address.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname } from "node:path";

const TYPES = { ".mjs": "text/javascript", ".html": "text/html", ".json": "application/json", ".wasm": "application/wasm" };
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"];

// Opens `start` and gives what `use(page)` gives. `files` maps a path to a file, `folders` a prefix to a folder; the
// first that fits is taken.
export async function inBrowser(nodeFolder, files, folders, start, use) {
  const { chromium } = createRequire(`${nodeFolder}/`)("playwright-core");
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    const prefix = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    const file = files[path] ?? folders[prefix] + path.slice(prefix.length);
    try {
      const body = readFileSync(file);
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}${start}`);
    return await use(page);
  } finally {
    await browser.close();
    server.close();
  }
}
