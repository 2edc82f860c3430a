// client.mjs ADDRESS IMAGE: asks a running `selfie serve` for the embedding. Needs Node alone.

import { readFileSync } from "node:fs";

const [address, image] = process.argv.slice(2);
const headers = { "content-type": "application/octet-stream" };
const answer = await fetch(`${address}/v1/embeddings`, { method: "POST", headers, body: readFileSync(image) });
if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
console.log(JSON.stringify((await answer.json()).data[0].embedding));
